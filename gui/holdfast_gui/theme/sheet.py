"""The stylesheet: only what Qt draws for us and a palette cannot say."""

from __future__ import annotations

from holdfast_gui.theme.tokens import RADIUS_FIELD, RADIUS_SMALL, Tokens

_SHEET = """
QToolTip {{ background: {raised}; color: {text}; border: 1px solid {line}; padding: 4px 6px; }}
QMenu {{ background: {bg2}; color: {text}; border: 1px solid {line}; padding: 4px; }}
QMenu::item {{ padding: 6px 24px 6px 10px; border-radius: {small}px; }}
QMenu::icon {{ padding-left: 8px; }}
QMenu::item:selected {{ background: {selection}; }}
QMenu::item:disabled {{ color: {text3}; }}
QMenu::separator {{ height: 1px; background: {line}; margin: 4px 6px; }}
QSplitter::handle {{ background: {line}; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: {scroll}; border-radius: 3px; margin: 2px; min-height: 28px; min-width: 28px; }}
QScrollBar::handle:hover {{ background: {text3}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QLineEdit, QPlainTextEdit {{ background: {bg2}; color: {text}; border: 1px solid {line}; border-radius: {small}px;
    padding: 4px 7px; selection-background-color: {accent}; selection-color: {on_accent}; }}
QLineEdit:focus, QPlainTextEdit:focus {{ border-color: {accent}; }}
QLineEdit:disabled {{ background: {raised}; color: {text3}; }}
QLineEdit[wrong="true"] {{ border-color: {bad}; }}
QPlainTextEdit[quiet="true"] {{ background: transparent; border: none; border-bottom: 1px solid transparent;
    border-radius: 0; padding: 0 0 3px 0; }}
QPlainTextEdit[quiet="true"]:hover {{ border-bottom-color: {line}; }}
QPlainTextEdit[quiet="true"]:focus {{ border-bottom-color: {accent}; }}
QLineEdit[bare="true"], QPlainTextEdit[bare="true"] {{ background: transparent; border: none; padding: 0; }}
"""


def stylesheet(tokens: Tokens) -> str:
    """Return the application's stylesheet in the colours of ``tokens``."""
    colours = {name: getattr(tokens, name).name() for name in tokens.__slots__}
    return _SHEET.format(**colours, small=RADIUS_SMALL, field=RADIUS_FIELD)
