"""A comparison in words: what the numbers allow to be said, and what they do not."""

from __future__ import annotations

import math
from collections.abc import Sequence

from realsr_mtl.reporting.bootstrap import Interval
from realsr_mtl.reporting.comparison import ALPHA, FEW_IMAGES, Comparison, Difference

_NAMED = 4
"""Tasks that a sentence names."""

FEW_SEEDS = 5
"""Fewer seeds than this tell little about how much seeds matter."""


def verdict(comparison: Comparison, difference: Difference) -> str:
    """One method against the baseline, in one to three sentences."""
    name, base = difference.name, comparison.baseline.name
    images, tasks = len(comparison.baseline.images), len(difference.tasks)
    if difference.identical:
        return (
            f"No difference: every {comparison.metric} of {name} equals that of {base}, on "
            f"{_count(images, 'image')} in {_count(tasks, 'task')}."
        )
    mean = difference.mean
    if math.isnan(mean.low):
        return (
            f"Not decided: {name} has {_signed(comparison, mean.estimate)} against {base} on "
            "average, but a single image gives no interval."
        )
    decision = difference.mean_decided
    if decision == 0:
        return " ".join(
            [
                f"Not decided with {_evidence(comparison, difference)}: on average over the tasks "
                f"{name} differs from {base} by {_gain(comparison, mean)}; a difference of the "
                f"mean beyond {_size(comparison, max(-mean.low, mean.high))} is unlikely.",
                *_tasks(comparison, difference, 0),
            ]
        )
    word = "better" if decision > 0 else "worse"
    head = f"{name} is {word} than {base} on average by {_gain(comparison, mean, absolute=True)}"
    opposite = difference.which(-decision)
    if tasks > 1 and opposite:
        verb = "harms" if decision > 0 else "improves"
        head += f", but {verb} {_list(comparison, difference, opposite)}"
    if tasks > 1 and len(difference.which(decision)) == tasks:
        head += f", and on each of the {tasks} tasks"
        return head + "."
    return " ".join([head + ".", *_tasks(comparison, difference, decision)])


def caveats(comparison: Comparison) -> list[str]:
    """What to keep in mind, whatever the verdicts."""
    images, found = len(comparison.baseline.images), []
    different = [d for d in comparison.differences if not d.identical]
    if images < FEW_IMAGES:
        found.append(
            f"{_count(images, 'image')}: with fewer than {FEW_IMAGES} the intervals rest on the "
            "assumption that differences are normally distributed, and on images that may not "
            "stand for others; take them as a rough guide."
        )
    single = [d.name for d in different if d.seeds == 1 or len(comparison.baseline.seeds) == 1]
    if single:
        found.append(
            f"One run each ({', '.join(single)}): the intervals are about other images for these "
            "very networks. How much another seed would change is unknown, and it may be more."
        )
    elif any(d.seeds < FEW_SEEDS for d in different):
        seeds = min(d.seeds for d in different)
        found.append(
            f"{seeds} seeds: the intervals allow for other seeds, by what so few runs show of them."
        )
    unpaired = [d.name for d in different if not d.paired]
    if unpaired:
        found.append(
            f"The runs of {', '.join(unpaired)} have other seeds than those of "
            f"{comparison.baseline.name}: the difference holds the luck of the seeds, which equal "
            "seeds would share."
        )
    tasks = len(comparison.baseline.tasks)
    if tasks > 1 and different:
        found.append(
            f"Of {tasks} tasks without any difference, {ALPHA * tasks:.1f} would have an interval "
            "that excludes zero by chance, for each method. A task is called improved or harmed "
            "only if it is so after Holm's adjustment for the number of tasks; a mean is called "
            f"better or worse after that for the number of methods ({len(comparison.differences)})."
        )
    return found


def _tasks(comparison: Comparison, difference: Difference, decision: int) -> list[str]:
    """A sentence about single tasks that the first one has not told."""
    up, down = difference.which(1), difference.which(-1)
    total = len(difference.tasks)
    if total == 1:
        return []
    if decision == 0:
        if not up and not down:
            return ["No single task is decided either."]
        parts = [f"it improves {_list(comparison, difference, up)}"] if up else []
        parts += [f"it harms {_list(comparison, difference, down)}"] if down else []
        return ["But " + " and ".join(parts) + "."]
    own = up if decision > 0 else down
    rest = total - len(up) - len(down)
    verb = "improved" if decision > 0 else "harmed"
    sentence = f"{len(own)} of {total} tasks are {verb}" if own else f"No single task is {verb}"
    return [sentence + (f", {rest} undecided." if rest and own else ".")]


def _list(comparison: Comparison, difference: Difference, tasks: Sequence[str]) -> str:
    named = [
        f"'{task}' ({_signed(comparison, difference.tasks[task].estimate)})"
        for task in tasks[:_NAMED]
    ]
    more = len(tasks) - _NAMED
    return ", ".join(named) + (f" and {_count(more, 'task')} more" if more > 0 else "")


def _evidence(comparison: Comparison, difference: Difference) -> str:
    images = _count(len(comparison.baseline.images), "image")
    seeds = max(difference.seeds, len(comparison.baseline.seeds))
    return f"these {images}" if seeds == 1 else f"these {images} and {seeds} seeds"


def _gain(comparison: Comparison, gain: Interval, absolute: bool = False) -> str:
    """``+0.012 dB [+0.002, +0.022]``; of a loss, called worse by a size, without the sign."""
    digits, unit = comparison.digits, comparison.unit
    if absolute:
        low, high = sorted((abs(gain.low), abs(gain.high)))
        return f"{abs(gain.estimate):.{digits}f}{unit} [{low:.{digits}f}, {high:.{digits}f}]"
    ends = f"[{gain.low:+.{digits}f}, {gain.high:+.{digits}f}]"
    return f"{gain.estimate:+.{digits}f}{unit} {ends}"


def _signed(comparison: Comparison, value: float) -> str:
    return f"{value:+.{comparison.digits}f}{comparison.unit}"


def _size(comparison: Comparison, value: float) -> str:
    return f"{value:.{comparison.digits}f}{comparison.unit}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
