#!/usr/bin/env python3
"""Writes messages of about 215 bytes, the same ones for the same seed: generate.py COUNT [TEMPLATES [SEED]]"""

import random
import sys

NAMES = ["王小明", "李丽华", "张建国", "刘子涵", "陈雨桐", "杨浩然", "赵思远", "黄佳怡"]
SIGN_NAMES = ["云通信", "青禾超市", "仁和口腔", "Northwind"]
BLOCK = 10_000


def messages(count, templates=8, seed=1):
    """Yields blocks of lines as bytes."""
    choose = random.Random(seed)
    codes = [f"SMS_{71175000 + n}" for n in range(templates)]
    done = 0
    while done < count:
        size = min(BLOCK, count - done)
        lines = []
        for number in range(done, done + size):
            bits = choose.getrandbits(64)
            lines.append(
                f'{{"PhoneNumber":"13{bits % 10**9:09d}","SignName":"{SIGN_NAMES[bits >> 40 & 3]}",'
                f'"TemplateCode":"{codes[(bits >> 44) % templates]}",'
                f'"TemplateParam":{{"code":"{bits % 10**6:06d}","name":"{NAMES[bits >> 36 & 7]}"}},'
                f'"order":"SO{number:06d}","user":{{"id":{bits % 10**8},"plan":"basic","since":"2019-11-25"}}}}\n'
            )
        done += size
        yield "".join(lines).encode()


if __name__ == "__main__":
    for block in messages(*map(int, sys.argv[1:4])):
        sys.stdout.buffer.write(block)
