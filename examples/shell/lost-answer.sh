#!/usr/bin/env bash
# What happens when the gateway takes messages and its answer is lost on the way.
# smspipe does not send them again: it looks them up and finds them. Nothing leaves this machine.
set -euo pipefail
smspipe=${SMSPIPE:-smspipe}
export smspipe

if [ -z "${SMSPIPE_SIMULATOR_INBOX:-}" ]; then
    exec "$smspipe" simulate --fault drop-after=1,nth=1 -- "$0"
fi

messages() {
    for number in 13800000001 13800000002 13800000003; do
        echo '{"PhoneNumber":"'$number'","SignName":"云通信","TemplateCode":"SMS_71175823","TemplateParam":{"code":"1234"}}'
    done
}

echo "sending three messages; the answer to their request is lost:"
messages | "$smspipe" | jq -c '{PhoneNumber, Outcome, Message}'

echo "what the gateway took:"
curl -s "${SMSPIPE_SIMULATOR_INBOX}messages" | jq -c '{PhoneNumber, Text}'

echo "sent twice:"
curl -s "${SMSPIPE_SIMULATOR_INBOX}duplicates" | jq -c . | grep . || echo "none"
