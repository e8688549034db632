"""What one would write with the official SDK: batches of a hundred of one template, sixty-four requests at once."""

import asyncio
import os
import sys

import orjson
from alibabacloud_dysmsapi20170525.client import Client
from alibabacloud_dysmsapi20170525.models import SendBatchSmsRequest
from alibabacloud_tea_openapi.models import Config

client = Client(
    Config(
        access_key_id=os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"],
        access_key_secret=os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
        endpoint=sys.argv[1],
        protocol="http",
    )
)


async def main():
    permits = asyncio.Semaphore(64)
    open_batches, tasks = {}, set()

    async def send(template, lines):
        try:
            answer = await client.send_batch_sms_async(
                SendBatchSmsRequest(
                    template_code=template,
                    phone_number_json=orjson.dumps([line["PhoneNumber"] for line in lines]).decode(),
                    sign_name_json=orjson.dumps([line["SignName"] for line in lines]).decode(),
                    template_param_json=orjson.dumps([line["TemplateParam"] for line in lines]).decode(),
                )
            )
            result = {"Code": answer.body.code, "BizId": answer.body.biz_id, "RequestId": answer.body.request_id}
            for line in lines:
                sys.stdout.buffer.write(orjson.dumps(line | result) + b"\n")
        finally:
            permits.release()

    async def start(template):
        await permits.acquire()
        task = asyncio.create_task(send(template, open_batches.pop(template)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    for text in sys.stdin.buffer:
        line = orjson.loads(text)
        batch = open_batches.setdefault(line["TemplateCode"], [])
        batch.append(line)
        if len(batch) == 100:
            await start(line["TemplateCode"])
    for template in list(open_batches):
        await start(template)
    await asyncio.gather(*tasks)


asyncio.run(main())
