"""Clusters of histograms, and the member that stands for each."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from realsr_mtl.degradations import RandomStreams
from realsr_mtl.errors import UnavailableError, UserError
from realsr_mtl.seal.histograms import Histograms, roots

Labels = npt.NDArray[np.int64]

_ROUNDS, _STARTS = 100, 5


@dataclass(frozen=True)
class Clusters:
    """A pool in parts.

    Attributes:
        labels: ``[N]``, cluster of each record, numbered by their representatives.
        representatives: ``[K]``, ascending positions in the pool, one in each cluster.
    """

    labels: Labels
    representatives: Labels

    @property
    def sizes(self) -> Labels:
        """Members of each cluster, ``[K]``."""
        return np.bincount(self.labels, minlength=len(self.representatives))

    @property
    def singletons(self) -> float:
        """Share of clusters with one member; more than 5 % means that outliers were peeled off."""
        return float((self.sizes == 1).mean())


def cluster(
    histograms: Histograms,
    count: int,
    seed: int,
    method: Literal["spectral", "kmeans"] = "spectral",
    neighbours: int = 15,
) -> Clusters:
    """Clusters and their medoids, ``argmax_i sum_{j in cluster} sum_b sqrt(p_ib p_jb)``.

    Degraded versions of one image all have similar histograms. In a dense affinity spectral
    clustering would peel off outliers; in the graph of the nearest neighbours it does not.

    Args:
        histograms: ``[N, F]``.
        count: number of clusters, K.
        seed: of the clustering.
        method: spectral (scikit-learn's, on the graph of nearest neighbours by Hellinger distance,
            made symmetric), or k-means on the roots of the histograms.
        neighbours: of a record in the graph.

    Raises:
        UserError: fewer than K different records, or too few for the graph.
        UnavailableError: no scikit-learn.
    """
    features = roots(histograms)
    different = len(np.unique(features, axis=0))
    if different < count:
        raise UserError(
            f"the pool has {different} different histograms, too few for {count} clusters; raise "
            "seal:pool or lower seal:cases"
        )
    if method == "kmeans":
        labels = _kmeans(features, count, seed)
    else:
        labels = _spectral(features, count, seed, neighbours)
    found = np.unique(labels)
    if len(found) < count:
        raise UserError(
            f"the pool falls into {len(found)} clusters, fewer than the {count} asked for; raise "
            "seal:pool or lower seal:cases"
        )
    return with_medoids(features, labels)


def with_medoids(features: Histograms, labels: Labels) -> Clusters:
    """Clusters numbered by their medoids; of equal ones the first record is taken."""
    medoids = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        closeness = features[members] @ features[members].sum(0)
        medoids.append((int(members[closeness.argmax()]), label))
    number = {label: place for place, (_, label) in enumerate(sorted(medoids))}
    renumbered = np.array([number[label] for label in labels], dtype=np.int64)
    return Clusters(renumbered, np.array(sorted(m for m, _ in medoids), dtype=np.int64))


def purity(labels: Labels, types: list[str]) -> float:
    """``1/N sum_k max_t |cluster k and type t|``, the share of records of their cluster's type."""
    kinds = np.array(types)
    found = (np.unique(kinds[labels == k], return_counts=True)[1].max() for k in np.unique(labels))
    return float(sum(found)) / len(labels)


def agreement(first: Labels, second: Labels) -> float:
    """Adjusted Rand index (Hubert, Arabie 1985): 1 for equal partitions, 0 as by chance."""
    table = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(table, (first, second), 1)
    pairs, rows, columns = (
        float((n * (n - 1) / 2).sum()) for n in (table, table.sum(1), table.sum(0))
    )
    expected = rows * columns / (len(first) * (len(first) - 1) / 2)
    return (pairs - expected) / ((rows + columns) / 2 - expected)


def _spectral(features: Histograms, count: int, seed: int, neighbours: int) -> Labels:
    try:
        from sklearn.cluster import SpectralClustering
        from sklearn.neighbors import kneighbors_graph
    except ImportError:
        raise UnavailableError(
            "spectral clustering needs scikit-learn; pip install 'realsr-mtl[analysis]', or set "
            "seal:clustering=kmeans"
        ) from None
    if neighbours >= len(features):
        raise UserError(
            f"{neighbours} neighbours need a pool of more than {len(features)} records; lower "
            "seal:neighbours or raise seal:pool"
        )
    graph = kneighbors_graph(features, neighbours)
    graph = (graph + graph.T) / 2
    model = SpectralClustering(count, affinity="precomputed", random_state=seed)
    with warnings.catch_warnings():
        # clusters far from each other have no edge between them: that is what is looked for
        warnings.filterwarnings("ignore", message="Graph is not fully connected")
        return np.asarray(model.fit_predict(graph), dtype=np.int64)


def _kmeans(features: Histograms, count: int, seed: int) -> Labels:
    """Lloyd's algorithm from the best of some k-means++ starts (Arthur, Vassilvitskii 2007)."""
    streams = RandomStreams(seed)
    runs = []
    for start in range(_STARTS):
        uniform = streams.uniform("k-means", torch.tensor([start]), count)[0].tolist()
        runs.append(_lloyd(features, _spread_out(features, uniform)))
    return min(runs, key=lambda run: run[0])[1]


def _spread_out(features: Histograms, uniform: list[float]) -> Histograms:
    """First centres: each a record, drawn by its squared distance to those before it."""
    chosen = [int(uniform[0] * len(features))]
    distance = np.full(len(features), np.inf)
    for u in uniform[1:]:
        distance = np.minimum(distance, np.square(features - features[chosen[-1]]).sum(1))
        cumulated = distance.cumsum()
        place = np.searchsorted(cumulated, u * cumulated[-1], side="right")
        chosen.append(int(min(place, len(features) - 1)))
    return features[chosen]


def _lloyd(features: Histograms, centres: Histograms) -> tuple[float, Labels]:
    labels = np.full(len(features), -1, dtype=np.int64)
    squares, nearest = np.square(features).sum(1), np.zeros(len(features))
    for _ in range(_ROUNDS):
        distance = squares[:, None] - 2 * features @ centres.T + np.square(centres).sum(1)
        found, nearest = distance.argmin(1), distance.min(1)
        for k in range(len(centres)):  # an empty cluster takes the record that fits worst
            if not (found == k).any():
                worst = int(np.where(np.bincount(found)[found] > 1, nearest, -np.inf).argmax())
                found[worst], nearest[worst] = k, 0
        if (found == labels).all():
            break
        labels = found
        centres = np.stack([features[labels == k].mean(0) for k in range(len(centres))])
    return float(nearest.sum()), labels
