#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Asks the service, whose enclave is verified before a byte of a request is sent.

usage: client.py URL MR_ENCLAVE [--policy-base FILE] [--message TEXT]

Ends with 0, or with the group of the error: 7 when another enclave answers.
"""

import argparse
import json
import sys

import ratls
from ratls.verify import Client


def arguments():
    parser = argparse.ArgumentParser(description="a client of the service")
    parser.add_argument("url")
    parser.add_argument("mr_enclave", help="the measurement of the one program that is accepted")
    parser.add_argument("--policy-base", help="a policy without [[enclave]]: root and collateral")
    parser.add_argument("--message", default="hello from outside")
    return parser.parse_args()


def main():
    given = arguments()
    with Client(given.url, mr_enclave=given.mr_enclave, policy_base=given.policy_base) as client:
        answer = client.get()
        print("verified:", answer.identity.mr_enclave[:16] + "...", answer.identity.tcb_status)
        print("GET /:", answer.status, answer.read().decode())
        answer = client.get("get_headers", {"X-Colour": "blue"})
        print("GET get_headers:", answer.status, "x-colour is",
              json.loads(answer.read())["headers"]["x-colour"])
        answer = client.post("log_body", json.dumps({"message": given.message}))
        print("POST log_body:", answer.status, answer.read().decode())


if __name__ == "__main__":
    try:
        main()
    except ratls.Error as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.number // 100)
