# SPDX-License-Identifier: Apache-2.0
"""The service: three routes of FastAPI, with nothing of attestation in them."""

import logging

from fastapi import FastAPI, Request
from pydantic import BaseModel

logger = logging.getLogger("uvicorn.error")
app = FastAPI(title="A service in an enclave")


class Message(BaseModel):
    message: str


@app.get("/")
async def hello():
    return {"message": "Hello World"}


@app.get("/get_headers")
async def get_headers(request: Request):
    return {"headers": dict(request.headers)}


@app.post("/log_body")
async def log_body(body: Message):
    # %r: a message that has line ends in it must not be able to look like another line of the log.
    logger.info("log_body: %r", body.message)
    return {"message": "Success"}
