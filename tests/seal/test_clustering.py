from __future__ import annotations

import builtins

import numpy as np
import pytest

from realsr_mtl.errors import UnavailableError, UserError
from realsr_mtl.seal.clustering import Clusters, agreement, cluster, purity, with_medoids
from realsr_mtl.seal.histograms import roots

KNOWN = np.arange(90) % 3


def groups(spread: float = 0.02) -> np.ndarray:
    """Histograms around three centres, in turn."""
    generator = np.random.default_rng(0)
    centres = generator.dirichlet(np.full(24, 0.3), 3)
    noise = generator.dirichlet(np.full(24, 1.0), len(KNOWN))
    return (1 - spread) * centres[KNOWN] + spread * noise


@pytest.mark.parametrize("method", ["spectral", "kmeans"])
def test_known_groups_are_recovered(method):
    found = cluster(groups(), 3, seed=0, method=method, neighbours=8)
    assert purity(found.labels, [str(k) for k in KNOWN]) == 1
    assert agreement(found.labels, KNOWN) == pytest.approx(1)
    assert found.sizes.tolist() == [30, 30, 30]
    assert found.singletons == 0


@pytest.mark.parametrize("method", ["spectral", "kmeans"])
def test_clusters_are_whole_and_the_same_every_time(method):
    found = cluster(groups(0.4), 8, seed=3, method=method, neighbours=8)
    again = cluster(groups(0.4), 8, seed=3, method=method, neighbours=8)
    assert (found.labels == again.labels).all()
    assert (found.sizes > 0).all()
    assert found.sizes.sum() == len(KNOWN)
    assert len(set(found.representatives.tolist())) == 8
    assert found.labels[found.representatives].tolist() == list(range(8))
    assert (np.diff(found.representatives) > 0).all()


def test_the_medoid_is_the_most_similar_member_and_the_first_of_equals():
    histograms = np.array([[0.5, 0.5], [0.4, 0.6], [0.3, 0.7], [0.4, 0.6], [0.9, 0.1]])
    found = with_medoids(roots(histograms), np.array([7, 7, 7, 7, 2]))
    assert found.representatives.tolist() == [1, 4]
    assert found.labels.tolist() == [0, 0, 0, 0, 1]
    assert found.singletons == 0.5


def test_purity_and_agreement():
    labels = np.array([0, 0, 0, 1, 1])
    assert purity(labels, ["a", "a", "b", "b", "b"]) == 0.8
    assert agreement(labels, labels) == pytest.approx(1)
    assert agreement(labels, np.array([1, 1, 1, 0, 0])) == pytest.approx(1)
    assert agreement(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])) < 0


def test_agreement_is_that_of_scikit_learn():
    from sklearn.metrics import adjusted_rand_score

    generator = np.random.default_rng(0)
    first, second = generator.integers(0, 4, 50), generator.integers(0, 3, 50)
    assert agreement(first, second) == pytest.approx(adjusted_rand_score(first, second))


def test_k_means_fills_every_cluster_of_repeated_records():
    repeated = np.repeat(groups()[:6], [40, 1, 1, 1, 1, 1], axis=0)
    found = cluster(repeated, 6, seed=0, method="kmeans")
    assert (found.sizes > 0).all()


def test_mistakes_are_named(monkeypatch):
    with pytest.raises(UserError, match="1 different histograms, too few for 2"):
        cluster(np.full((5, 4), 0.25), 2, seed=0)
    with pytest.raises(UserError, match="need a pool of more than 90 records"):
        cluster(groups(), 3, seed=0, neighbours=90)
    original = builtins.__import__

    def without(name, *rest):
        if name.startswith("sklearn"):
            raise ImportError(name)
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UnavailableError, match="seal:clustering=kmeans"):
        cluster(groups(), 3, seed=0)


def test_sizes():
    assert Clusters(np.array([0, 1, 1]), np.array([0, 2])).sizes.tolist() == [1, 2]
