"""What must agree between a resumed run and its option file."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Literal

from realsr_mtl.errors import UserError

_logger = logging.getLogger(__name__)

_ORDER_KEYS = {"seed": "manual_seed", "batch": "the batch over all processes"}


def compare_runs(
    state: Mapping[str, Any],
    now: Mapping[str, Any],
    file: str,
    choice: Literal["error", "keep", "override"],
) -> None:
    """Compare a training state with the run that wants to go on from it.

    Args:
        state: the saved state.
        now: the present ``tasks``, ``task_contents``, ``strategy_options``, ``seed``, ``batch``,
            ``optimisation`` and ``schedulers``.
        file: the state's file, for messages.
        choice: what to do about other learning-rate options (resume).

    Raises:
        UserError: other tasks, another strategy or another optimiser, or other learning-rate
            options and no choice.
    """
    if state.get("tasks", now["tasks"]) != now["tasks"]:
        raise UserError(
            f"'{file}' was trained on the tasks {', '.join(state['tasks'])} but this file has "
            f"{', '.join(now['tasks'])}; start a new run from its weights (path:"
            "pretrain_network_g) instead"
        )
    if state.get("task_contents", now["task_contents"]) != now["task_contents"]:
        raise UserError(
            f"the tasks of '{file}' have the same names but other contents (regions, groups or "
            "their masses); set them back, or start a new run from its weights (path:"
            "pretrain_network_g)"
        )
    before, after = state.get("optimisation") or {}, now["optimisation"]
    for key in {**before, **after} if before else ():
        value, other = before.get(key), after.get(key)
        if value != other:
            raise UserError(
                f"train:{key} was {value} in '{file}' and is {other} now; set it back, or "
                "start a new run from its weights (path:pretrain_network_g)"
            )
    then, own = state.get("strategy_options"), now["strategy_options"]
    if then is not None and _types(then) != _types(own):
        raise UserError(
            f"the strategy was {_types(then) or 'none'} in '{file}' and is {_types(own) or 'none'} "
            "now; set it back, or start a new run from its weights (path:pretrain_network_g)"
        )
    if then is not None and then != own:
        _logger.warning("other options of the strategy: %s then, %s now", then, own)
    for key, name in _ORDER_KEYS.items():
        if state.get(key, now[key]) != now[key]:
            _logger.warning(
                "%s was %s in the resumed run and is %s now: the order of the data changes",
                name,
                state[key],
                now[key],
            )
    saved = state.get("schedulers") or [None]
    differing = [
        (then, own)
        for then, own in zip(saved, now["schedulers"], strict=False)
        if isinstance(then, Mapping) and "options" in then and then != own
    ]
    if not differing:
        return
    schedule, present = differing[0]
    difference = f"{_describe(schedule)} then, {_describe(present)} now"
    if choice == "error":
        raise UserError(
            f"the learning-rate options differ from those of '{file}' ({difference}); set "
            "'resume: keep' for the old ones or 'resume: override' for this file's"
        )
    _logger.warning("learning-rate options: %s; resume is %s", difference, choice)


def _types(strategy: Mapping[str, Mapping[str, Any]]) -> str:
    return ", ".join(f"{part}: {block['type']}" for part, block in strategy.items())


def _describe(schedule: Mapping[str, Any]) -> str:
    return f"lr {schedule['base_lrs']} with {schedule['options']}"
