"""Devices and their jobs, for tills that do not speak MQTT: the same jobs, under the same ids, in the same table."""

from aiohttp import web

from gateway.api.exchange import Ask, refuse, reply
from gateway.api.wire import JobRequest
from gateway.devices.refusals import JobRefusal
from gateway.devices.refusals import refuse as job_refusal


async def listing(ask: Ask) -> web.Response:
    """All devices and how they are."""
    return reply({"items": ask.parts.devices.info(), "next": None})


async def submit(ask: Ask, identity: str, body: JobRequest) -> web.Response:
    """Queue a job; 201 the first time, then 200 with how it stands."""
    outcome = await ask.parts.devices.submit_job(
        ask.by, identity, body.kind.value, body.device, body.body, deadline_ms=body.deadline_ms
    )
    if isinstance(outcome, JobRefusal):
        refuse(outcome)
    created, job = outcome
    return reply(job, 201 if created else 200)


async def read(ask: Ask, identity: str) -> web.Response:
    """How a job stands."""
    job = await ask.parts.devices.job(identity)
    if job is None:
        refuse(job_refusal("job_unknown", id=identity))
    return reply(job)
