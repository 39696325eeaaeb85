"""Void a document: the number stays spent, the paper stays readable with its legend, stock comes back (I9)."""

from gateway.ledger.commands import VoidDocument
from gateway.ledger.facts import DocumentVoided, Fact
from gateway.ledger.numbers import clock_problem
from gateway.ledger.outcomes import Decided, Decision, Known, Refused
from gateway.ledger.page import Page
from gateway.ledger.refusals import refuse
from gateway.ledger.rules import House


def void_document(page: Page, command: VoidDocument, at: int, house: House) -> Decision:
    """Annul an issued document; the same request again is answered the same."""
    paper = page.papers.get(command.document)
    if paper is None:
        return Refused(refuse("document_unknown", document=command.document))
    answer = {
        **paper.document,
        "status": "void",
        "void": {"reason": command.reason, "till": command.till},
    }
    if paper.status == "void":
        if paper.void_digest != command.digest:
            return Refused(refuse("document_already_void", document=paper.id))
        return Known(paper.void_seq or paper.seq, {**answer, "void": paper.void})
    if any(quantity for quantity, _ in page.credits.get(paper.id, {}).values()):
        return Refused(refuse("document_has_credits", document=paper.id))
    late = clock_problem(page, at, house)
    if late is not None:
        return Refused(late)
    body: DocumentVoided = {
        "document": paper.id,
        "formatted_number": paper.document["formatted_number"],
        "digest": command.digest.hex(),
        "till": command.till,
        "reason": command.reason,
        "movements": [[sku, -quantity] for sku, quantity in paper.movements],
    }
    return Decided((Fact("document_voided", body),), answer)
