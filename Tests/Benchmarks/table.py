"""Figures and the table they stand in."""

import statistics
from dataclasses import dataclass


@dataclass
class Figure:
    """A number with its unit: the median of all repetitions, and the range."""

    values: list
    unit: str = ""
    prefix: str = ""

    @property
    def median(self):
        return statistics.median(self.values)

    def __str__(self):
        middle, low, high = map(short, (self.median, min(self.values), max(self.values)))
        spread = f" ({low}–{high})" if low != high else ""
        return f"{self.prefix}{middle}{self.unit}{spread}"


def short(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def ratio(ours, theirs):
    """Of each repetition, since neighbours in time are comparable."""
    return Figure([a / b for a, b in zip(ours, theirs)])


def part(theirs, ours):
    """How small a part ours is of theirs; its values are how many times theirs is ours."""
    return Figure([a / b for a, b in zip(theirs, ours)], prefix="1/")


class Table:
    def __init__(self):
        print("| | peer | smspipe | ratio | goal | met |\n| --- | --- | --- | --- | --- | --- |", flush=True)

    def add(self, what, theirs="", ours="", compared="", goal="", met=None):
        """One line, printed at once; a goal is met or missed by the median."""
        mark = "" if met is None else "yes" if met else "no"
        print(f"| {what} | {theirs} | {ours} | {compared} | {goal} | {mark} |", flush=True)
