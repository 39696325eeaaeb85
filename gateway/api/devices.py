"""Devices and their jobs, for tills that do not speak MQTT: the same jobs, under the same ids, in the same table."""

from typing import Any

from aiohttp import web
from pydantic import ValidationError

from gateway.api import problems
from gateway.api.auth import ADMINISTRATOR
from gateway.api.exchange import Ask, refuse, reply
from gateway.api.parts import JobOrder
from gateway.api.wire import JobRequest, OutcomeRequest
from gateway.clock import iso
from gateway.devices.messages import BODIES
from gateway.devices.refusals import JobRefusal
from gateway.devices.refusals import refuse as job_refusal
from gateway.storage.jobs import JobRow


async def listing(ask: Ask) -> web.Response:
    """All devices and how they are."""
    return reply({"items": ask.parts.devices.listing(), "next": None})


async def submit(ask: Ask, identity: str, body: JobRequest) -> web.Response:
    """Queue a job; 201 the first time, then 200 with how it stands."""
    try:
        asked = BODIES[body.kind].model_validate(body.body)
    except ValidationError as error:
        raise problems.of_validation(error, "body") from error
    order = JobOrder(identity, ask.by, body.kind, body.device, asked, body.deadline_ms)
    outcome = await ask.parts.devices.submit_job(order)
    if isinstance(outcome, JobRefusal):
        refuse(outcome)
    created, job = outcome
    return reply(_shown(job), 201 if created else 200)


async def read(ask: Ask, identity: str) -> web.Response:
    """How a job stands."""
    job = await ask.parts.devices.job(identity)
    if job is None:
        refuse(job_refusal("job_unknown", id=identity))
    return reply(_shown(job))


async def open_jobs(ask: Ask) -> web.Response:
    """What is not at its end: a till's own jobs, everybody's for the administrator."""
    found = await ask.parts.devices.open_jobs(None if ask.by == ADMINISTRATOR else ask.by)
    return reply({"items": [_shown(job) for job in found], "next": None})


async def settle(ask: Ask, identity: str, body: OutcomeRequest) -> web.Response:
    """A person's word on a job that is unknown; `reprint` queues a copy, marked as one, and `detail` names it."""
    settled = await ask.parts.devices.resolve(identity, body.outcome, ask.by)
    if isinstance(settled, JobRefusal):
        refuse(settled)
    return reply(_shown(settled))


def _shown(job: JobRow) -> dict[str, Any]:
    """`replies.JobReply`."""
    return {
        "id": job.id,
        "kind": job.kind,
        "device": job.device,
        "till": job.till,
        "document": job.document,
        "state": job.state,
        "detail": job.detail,
        "settled_by": job.settled_by,
        "created_at": iso(job.created_at),
        "changed_at": iso(job.changed_at),
        "deadline": None if job.deadline is None else iso(job.deadline),
    }
