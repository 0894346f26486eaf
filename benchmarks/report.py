"""What was measured, as a table and as bars that are met or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of every program. ``values`` is by program; a missing one could not be asked."""

    title: str
    values: Mapping[str, float]
    unit: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A limit that ours must not exceed."""

    title: str
    value: float
    limit: float
    unit: str = ""

    @property
    def is_met(self) -> bool:
        return self.value <= self.limit


def table(rows: Sequence[Row], programs: Sequence[str]) -> str:
    """Return the rows with one column for each program and the ratio of the first to the second."""
    heads = ["", *programs, *([f"{programs[0]} / {programs[1]}"] if len(programs) > 1 else [])]
    lines = [heads, *(_cells(row, programs) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join(_line(line, widths) for line in lines)


def bars(all_bars: Sequence[Bar]) -> str:
    """Return one line for each bar."""
    return "\n".join(
        f"{'met    ' if bar.is_met else 'NOT MET'}  {bar.title}: {_number(bar.value)} of at most "
        f"{_number(bar.limit)}{f' {bar.unit}' if bar.unit else ''}"
        for bar in all_bars
    )


def _cells(row: Row, programs: Sequence[str]) -> list[str]:
    figures = [row.values.get(program) for program in programs]
    cells = [f"{row.title}, {row.unit}", *("–" if figure is None else _number(figure) for figure in figures)]
    if len(figures) > 1:
        ours, theirs = figures[:2]
        cells.append(f"{ours / theirs:.2f}" if ours is not None and theirs else "–")
    return cells


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.ljust(width) if not column else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "   ".join([first, *others]).rstrip()


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
