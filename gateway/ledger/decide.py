"""One question, one decision: a command and the open page in, facts or a refusal or an earlier answer out. Pure."""

from dataclasses import dataclass
from typing import assert_never

from gateway.ledger import issue, movements, ranges, tenure, void
from gateway.ledger.commands import (
    CancelRange,
    Command,
    ConfirmSeries,
    DeclareIssuer,
    IssueDocument,
    LoadRange,
    LockTenure,
    MoveStock,
    UnlockTenure,
    VoidDocument,
)
from gateway.ledger.outcomes import Decision
from gateway.ledger.page import Page
from gateway.ledger.rules import House


@dataclass(frozen=True, slots=True)
class Needs:
    """The keys of the rows that a command's decision reads."""

    papers: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    movements: tuple[str, ...] = ()


def needs(command: Command) -> Needs:
    """What must be on the page before `decide`; heads, ranges and tenure always are."""
    match command:
        case IssueDocument():
            originals = tuple(reference.document for reference in command.references)
            return Needs(papers=(command.id, *originals), skus=tuple(line.sku for line in command.lines))
        case VoidDocument():
            return Needs(papers=(command.document,))
        case MoveStock():
            return Needs(skus=tuple(sku for sku, _ in command.lines), movements=(command.id,))
        case _:
            return Needs()


def decide(page: Page, command: Command, at: int, house: House) -> Decision:
    """Answer a command from the page; nothing is changed. `at` is wall time in milliseconds UTC."""
    match command:
        case IssueDocument():
            return issue.issue_document(page, command, at, house)
        case VoidDocument():
            return void.void_document(page, command, at, house)
        case MoveStock():
            return movements.move_stock(page, command)
        case LoadRange():
            return ranges.load_range(page, command, house)
        case CancelRange():
            return ranges.cancel_range(page, command)
        case ConfirmSeries():
            return tenure.confirm_series(page, command, house)
        case LockTenure():
            return tenure.lock_tenure(page, command)
        case UnlockTenure():
            return tenure.unlock_tenure(page, command)
        case DeclareIssuer():
            return tenure.declare_issuer(page, command)
        case _:
            assert_never(command)
