#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Starts uvicorn with a fresh key and the attested certificate of this enclave.

usage: start.py [--host HOST] [--port PORT] [--tee auto|gramine|tdx|sim] [--sim DIR] [--folder DIR]
"""

import argparse
import pathlib
import tempfile

import uvicorn

from ratls.attest import write_ra_tls_key_and_crt


def arguments():
    parser = argparse.ArgumentParser(description="uvicorn with an attested certificate")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--tee", default="auto", help="where quotes come from")
    parser.add_argument("--sim", help="the folder of the simulated platform, for --tee sim")
    parser.add_argument("--folder", help="where key and certificate are written for a moment; under "
                                         "Gramine on a tmpfs mount, or the host reads the key")
    return parser.parse_args()


def main():
    given = arguments()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        key, crt = pathlib.Path(name, "key.pem"), pathlib.Path(name, "crt.pem")
        write_ra_tls_key_and_crt(key, crt, format="pem", tee=given.tee, sim_dir=given.sim)
        config = uvicorn.Config("app:app", host=given.host, port=given.port,
                                ssl_keyfile=str(key), ssl_certfile=str(crt))
        config.load()  # reads both files; nobody needs them any more
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
