# SPDX-License-Identifier: Apache-2.0
"""A small FastAPI service. It knows nothing of attestation: `ratls run` starts it with an attested
certificate, and the README beside it has the command."""

import logging

from fastapi import FastAPI, Request
from pydantic import BaseModel

logger = logging.getLogger("uvicorn.error")
app = FastAPI()


class LogBody(BaseModel):
    message: str


@app.get("/")
async def hello():
    return {"message": "Hello World"}


@app.get("/get_headers")
async def get_headers(request: Request):
    return {"headers": dict(request.headers)}


@app.post("/log_body")
async def log_body(body: LogBody):
    # %r escapes control characters: a message must not be able to forge a line of the log.
    logger.info("log_body: %r", body.message)
    return {"message": "Success"}
