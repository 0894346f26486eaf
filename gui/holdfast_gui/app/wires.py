"""Which signal leads to what answers it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from holdfast_gui.actions import verifying, welcoming
from holdfast_gui.actions.opening import carry_out
from holdfast_gui.actions.trashing import delete_sessions

if TYPE_CHECKING:
    from holdfast_gui.actions.desktop import Application
    from holdfast_gui.app.parts import Parts
    from holdfast_gui.crash import Reporter
    from holdfast_gui.single_instance import Handover, Instance


def connect(parts: Parts, application: Application, instance: Instance, reporter: Reporter) -> None:
    """Lead every signal to what answers it."""
    context = parts.context
    reporter.happened.connect(context.troubles.show)
    context.troubles.action_wanted.connect(context.actions.run)
    slot = context.scope.slot

    async def arrived(handover: Handover) -> None:
        os.environ["XDG_ACTIVATION_TOKEN"] = handover.activation_token
        await carry_out(context, handover.arguments, handover.directory)

    instance.arrived.connect(slot(arrived))
    application.open_wanted.connect(slot(lambda target: carry_out(context, (target,), "")))
    context.window.close_requested.connect(parts.traying.close_window)
    context.settled.add(lambda _settings: parts.traying.refill())
    _connect_index(parts)
    _connect_list(parts)
    _connect_session(parts)
    _connect_tray(parts)
    _connect_held(parts)
    _connect_vault(parts)
    parts.searching.open(context.window.session_list.current_id)


def _connect_index(parts: Parts) -> None:
    context, bridge = parts.context, parts.bridge
    bridge.changed.connect(context.indexing.hear)
    bridge.changed.connect(context.browser.hear)
    bridge.changed.connect(context.reading.hear)
    bridge.changed.connect(parts.traying.hear)
    bridge.changed.connect(parts.traying.refill)
    bridge.progressed.connect(context.indexing.progress)
    bridge.progressed.connect(context.browser.progress)
    bridge.reported.connect(context.indexing.report)
    bridge.failed.connect(context.indexing.fail)
    context.indexing.counted.connect(context.take_agents)
    context.indexing.counted.connect(parts.saved.count)
    context.browser.broken.connect(context.scope.slot(context.indexing.repair))
    context.window.first_run.done_pressed.connect(context.browser.open_first)


def _connect_list(parts: Parts) -> None:
    context, searching = parts.context, parts.searching
    slot, window, browser = context.scope.slot, context.window, context.browser
    window.places.place_selected.connect(parts.pages.go_to)
    window.places.saved_changed.connect(parts.saved.keep)
    window.search_field.text_changed.connect(browser.type)
    window.search_field.submitted.connect(searching.submit)
    window.search_field.list_wanted.connect(browser.open_first)
    window.search_field.cancelled.connect(browser.open_first)
    window.search_field.save_wanted.connect(lambda: context.actions.run("search.save"))
    window.search_field.completion_wanted.connect(searching.complete)
    sessions = window.session_list
    sessions.activated.connect(searching.enter)
    sessions.pointed.connect(searching.step_in)
    sessions.current_changed.connect(searching.open)
    sessions.selection_changed.connect(context.refresh)
    sessions.context_menu_wanted.connect(parts.menus.open_context_menu)
    sessions.rename_finished.connect(slot(parts.saying.rename))
    sessions.star_toggled.connect(slot(parts.saying.toggle_star))
    sessions.drag_wanted.connect(parts.dragging.start)
    sessions.delete_wanted.connect(slot(lambda ids: delete_sessions(context, ids)))
    sessions.sort_chosen.connect(browser.order_by)
    sessions.group_chosen.connect(browser.group)
    sessions.empty.action_pressed.connect(browser.do_empty_action)


def _connect_session(parts: Parts) -> None:
    context, saying = parts.context, parts.saying
    slot, window = context.scope.slot, context.window
    context.reading.turned.connect(context.refresh)
    window.head.resume_clicked.connect(lambda: context.actions.run("session.resume"))
    window.head.export_clicked.connect(lambda: context.actions.run("session.export"))
    window.notice.action_pressed.connect(context.actions.run)
    window.detail.note_edited.connect(slot(saying.note))
    window.detail.tags_edited.connect(slot(saying.tag))
    window.detail.subagent_clicked.connect(context.reading.open)
    window.detail.file_clicked.connect(saying.open_file)
    context.transcript.session_wanted.connect(context.reading.open)
    context.transcript.child_wanted.connect(slot(context.reading.show_child))
    context.transcript.context_menu_wanted.connect(parts.menus.open_transcript_menu)
    context.transcript.link_clicked.connect(saying.open_link)


def _connect_held(parts: Parts) -> None:
    context, keeping = parts.context, parts.context.keeping
    keeping.action_wanted.connect(context.actions.run)
    keeping.changed.connect(context.refresh)
    keeping.live_changed.connect(context.refresh)
    parts.bridge.reported.connect(keeping.take_report)
    parts.bridge.changed.connect(keeping.hear)
    context.reading.turned.connect(keeping.show_detail)
    context.window.detail.held.wanted.connect(context.actions.run)


def _connect_vault(parts: Parts) -> None:
    context, guarding = parts.context, parts.context.guarding
    context.settled.add(guarding.use_settings)
    parts.bridge.changed.connect(guarding.hear)
    parts.bridge.progressed.connect(guarding.progress)
    context.reading.turned.connect(guarding.show_detail)
    guarding.version_bar.action_pressed.connect(context.actions.run)
    guarding.changed.connect(context.refresh)
    guarding.changed.connect(parts.traying.watch_vault)
    guarding.expiring_found.connect(parts.traying.warn_of_deletions)
    verifying.listen(context)
    welcoming.listen(context)
    context.window.places.status.clicked.connect(lambda: context.actions.run("storage.open"))

    async def with_version(what: str, number: int) -> None:
        from holdfast_gui.actions.versions import do_with_version

        await do_with_version(context, what, number)

    context.window.detail.vault.wanted.connect(context.scope.slot(with_version))


def _connect_tray(parts: Parts) -> None:
    context, tray = parts.context, parts.tray
    tray.session_wanted.connect(context.scope.slot(parts.traying.resume))
    tray.lost_wanted.connect(parts.traying.show_lost)
    tray.open_wanted.connect(context.raise_window)
    tray.search_wanted.connect(lambda: context.actions.run("search.focus"))
    tray.message_clicked.connect(parts.traying.notifier.clicked)
