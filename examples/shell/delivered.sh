#!/usr/bin/env bash
# What became of messages after they were sent: some arrive, some do not, and a receipt takes its time.
# Nothing leaves this machine: a simulator delivers after a second, and two of the numbers fail on purpose.
set -euo pipefail
smspipe=${SMSPIPE:-smspipe}
export smspipe

if [ -z "${SMSPIPE_SIMULATOR_INBOX:-}" ]; then
    exec "$smspipe" simulate --report-delay 1s -- "$0"
fi

messages() {
    for number in 13800000001 19999001001 19999001002; do
        echo '{"PhoneNumber":"'$number'","SignName":"云通信","TemplateCode":"SMS_71175823","TemplateParam":{"code":"1234"}}'
    done
}

# Some failed, so 1 is what the last command of this pipe but one ends with.
set +o pipefail
messages | "$smspipe" | "$smspipe" status --wait 30s | jq -c '{PhoneNumber, SendStatus, ErrCode, ReceiveDate}'
