"""Controlled volumes: exact numbers of samples for every task and interval, from weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from torch import Tensor

from realsr_mtl.batch import TaskIds
from realsr_mtl.errors import UserError
from realsr_mtl.strategies.limits import LimitedWeights
from realsr_mtl.strategies.part import TaskColumns
from realsr_mtl.strategies.sampling.base import TaskSampling
from realsr_mtl.strategies.setting import Setting
from realsr_mtl.strategies.volumes import deck, volumes
from realsr_mtl.tasks import by_name, from_names


class ControlledVolumes(LimitedWeights, TaskSampling):
    """Deals the samples of an interval of ``every`` iterations from a deck with exact counts.

    Weights become shares within the limits, and these whole numbers of samples for the
    ``every * batch`` samples of the interval. The deck is one for all processes. Before the first
    interval tasks are left to the natural distribution: the baseline's own code path.

    Args:
        deal: shuffled, or stratified: every task spread evenly over the interval.
    """

    def __init__(
        self,
        setting: Setting,
        *,
        deal: Literal["shuffled", "stratified"] = "shuffled",
        **others: Any,
    ) -> None:
        super().__init__(setting, **others)
        self._deal = deal
        self._shares = setting.masses
        self._start: int | None = None
        self._deck: Tensor | None = None

    def next_interval(self, iteration: int, weights: Tensor) -> TaskColumns:
        """Turn weights ``omega [T]`` into the volumes of the interval that begins now."""
        self._shares = self.limited_shares(weights)
        counts = self._deal_from(iteration)
        return {"limited": self._weights, "share": self._shares, "volume": counts}

    def choose(self, index: Tensor) -> TaskIds | None:
        """Int64 ``[B]`` from the deck; None before the first interval."""
        if self._deck is None:
            return None
        assert self._start is not None
        return self._deck[index - self._start * self.setting.batch]

    def shares(self) -> Tensor:
        """The shares of the present interval; the natural masses before the first."""
        return self._shares

    def state_dict(self) -> dict[str, Any]:
        """The shares and the beginning of the interval; the deck follows from them."""
        shares = by_name(self.setting.names, self._shares)
        own = {"shares": shares, "start": self._start, "intervals": [self.warmup, self.every]}
        return {**super().state_dict(), **own}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state_dict`.

        Raises:
            UserError: other intervals; the present one could not be finished.
        """
        rest, setting = dict(state), self.setting
        warmup, every = rest.pop("intervals")
        if [warmup, every] != [self.warmup, self.every]:
            raise UserError(
                f"strategy:sampling had every: {every} and warmup: {warmup} in the resumed run, "
                f"and {self.every} and {self.warmup} now; set them back, or start a new run from "
                "its weights (path:pretrain_network_g)"
            )
        shares = from_names(setting.names, rest.pop("shares"), setting.masses, "task shares")
        self._shares = shares / shares.sum()
        start = rest.pop("start")
        if start is not None:
            self._deal_from(int(start))
        super().load_state_dict(rest)

    def _deal_from(self, iteration: int) -> Tensor:
        """Make the deck of the interval that begins at an iteration; returns the volumes."""
        counts = volumes(self._shares, self.every * self.setting.batch)
        stratified = self._deal == "stratified"
        self._start = iteration
        self._deck = deck(counts, self.setting.streams, iteration, stratified)
        return counts
