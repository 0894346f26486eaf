"""What verifying the vault by itself has found: in a bar that stays if something is bad, else shortly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast_gui.text import counted, tr
from holdfast_gui.views.notice import NoticeAction

if TYPE_CHECKING:
    from holdfast_core.model.vault import VaultReport

    from holdfast_gui.actions.context import Context


def listen(context: Context) -> None:
    """Tell it from now on."""
    context.library.verified.add(lambda report: tell(context, report))


def tell(context: Context, report: VaultReport) -> None:
    """Say what was found; what was ended before its end is said by nobody."""
    words = told(report)
    if report.bad:
        context.troubles.tell(words, NoticeAction("view.health", tr("Health")))
    elif report.is_complete and report.checked:
        context.toast.say(words)


def told(report: VaultReport) -> str:
    """Return in words what verifying has found."""
    checked = counted(report.checked, "source", "sources")
    mended = tr("{count} mended from the agents' files.").format(count=f"{report.repaired:,}")
    after = f" {mended}" if report.repaired else ""
    if not report.bad:
        return tr("The vault was verified by itself: {checked}, all whole.").format(checked=checked) + after
    sources = len({(one.agent, one.key) for one in report.bad})
    bad = counted(sources, "source is not whole", "sources are not whole")
    words = tr("The vault was verified by itself: of {checked} {bad}. All else that is kept is as it was.")
    return words.format(checked=checked, bad=bad) + after
