"""What things cost while the catalog grows, drawn as SVG: time over size, both axes logarithmic.

    scripts/benchmark.py --searches --full --plot growth.svg

A panel each for imports, searches and questions as of a time, on one scale. A colour is an engine, a marker a question.
What is drawn is what users have, so SQLite without statistics. It needs matplotlib, which nothing else here does:
`.venv/bin/python -m pip install matplotlib`.
"""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING

from benchmark.growth import Cost

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Lines = Mapping[str, Mapping[str, Sequence[Cost]]]
"""What costs → engine → its costs by size."""


@dataclass(frozen=True)
class Panel:
    """A part of the picture.

    Attributes:
        title: Its title.
        labels: What is drawn, as the tables call it → what the legend calls it.
    """

    title: str
    labels: Mapping[str, str]


PANELS = (
    Panel("Import, each revision", {"import, each": "five models each, into an empty catalog"}),
    Panel(
        "Search, first page of at most 100",
        {
            "total and a model": "total and three fields of a model, 20 hits",
            "any deadline, 20 hits": "deadline of any model, 20 hits",
            "label of every workload": "label of any model, everything matches",
        },
    ),
    Panel(
        "As of a time, a name of 20 revisions",
        {"show NAME@T": "show NAME@T", "show NAME@T --known-at K": "show NAME@T --known-at K"},
    ),
)
ENGINES = {"sqlite": ("SQLite", "#0072b2"), "postgresql": ("PostgreSQL", "#d55e00")}
"""Engine → what the legend calls it, and a colour that also the colour-blind tell from the other."""

_MARKERS = (("o", "-"), ("s", "--"), ("^", "-."))
_STYLE = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlepad": 12,
    "axes.xmargin": 0.08,
    "grid.color": "#dddddd",
    "legend.frameon": False,
}


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def draw(costs: Sequence[Cost], path: str) -> None:
    """Draw what users have of what was measured, and write it as SVG.

    Raises:
        KeyError: Something that a panel shows was not measured.
    """
    # A figure that pyplot does not know needs no screen, and asks no environment for one.
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    lines: dict[str, dict[str, list[Cost]]] = {}
    for cost in costs:
        if cost.is_as_users_have_it:
            lines.setdefault(cost.what, {}).setdefault(cost.engine, []).append(cost)
    with rc_context(_STYLE):
        figure = Figure(figsize=(13, 5.6), layout="constrained")
        figure.get_layout_engine().set(w_pad=0.12, h_pad=0.08)
        figure.suptitle("What a catalog takes while it grows", x=0.01, ha="left", size=15)
        engines = [ENGINES[engine] for engine in dict.fromkeys(cost.engine for cost in costs)]
        legend = [Line2D([], [], color=colour, linewidth=3, label=name) for name, colour in engines]
        figure.legend(handles=legend, loc="outside upper right", ncols=len(legend), fontsize=11)
        for axes, panel in zip(figure.subplots(1, len(PANELS), sharey=True), PANELS, strict=True):
            _draw_panel(axes, panel, lines)
        figure.supxlabel(_conditions(), x=0.01, ha="left", size=8, color="#666666")
        figure.savefig(path, format="svg")


def _draw_panel(axes: "Axes", panel: Panel, lines: Lines) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.ticker import EngFormatter, NullLocator

    legend = []
    for (what, label), (marker, line) in zip(panel.labels.items(), _MARKERS, strict=False):
        legend.append(Line2D([], [], color="black", marker=marker, linestyle=line, label=label))
        for engine, costs in lines[what].items():
            sizes, times_s = [cost.size for cost in costs], [cost.us / 1e6 for cost in costs]
            axes.plot(sizes, times_s, color=ENGINES[engine][1], marker=marker, linestyle=line)
    axes.set(title=panel.title, xlabel="revisions in the catalog", xscale="log", yscale="log")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(EngFormatter("s"))
    axes.legend(handles=legend, loc="upper left", bbox_to_anchor=(0, -0.16), borderaxespad=0)


def _conditions() -> str:
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} processors, Python {platform.python_version()}. "
        "Imports once, else medians. SQLite without ANALYZE; PostgreSQL with statistics, not waiting for the disk."
    )
