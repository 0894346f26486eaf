from holdfast_gui.notify import Kind, Notifier


class Tray:
    def __init__(self):
        self.shown = []

    def show_message(self, title, text):
        self.shown.append((title, text))
        return True


def test_a_message_leads_where_it_points():
    tray, went = Tray(), []
    notifier = Notifier(tray)

    shown = notifier.tell(Kind.LOST, "3 messages", on_click=lambda: went.append("there"))
    notifier.clicked()

    assert (shown, tray.shown, went) == (True, [(Kind.LOST.heading, "3 messages")], ["there"])


def test_a_kind_that_is_switched_off_is_not_shown():
    tray = Tray()

    shown = Notifier(tray, muted={Kind.LOST}).tell(Kind.LOST, "3 messages")

    assert (shown, tray.shown) == (False, [])


def test_without_a_tray_nothing_is_shown():
    assert not Notifier().tell(Kind.LOST, "3 messages")
