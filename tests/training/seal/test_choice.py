from __future__ import annotations

import json
from pathlib import Path

import pytest

from realsr_mtl.errors import UserError
from realsr_mtl.seal.pool import Family
from realsr_mtl.tasks import read_cases
from realsr_mtl.training.seal import choose_cases
from tests.training.seal._plans import benchmark, chosen

FILE = Path("experiments/tiny/cases.jsonl")
BOTH = [Family("a", {"type": "RealESRGAN"}, 0.5), Family("b", {"type": "BSRGAN"}, 0.5)]


def report() -> dict:
    return json.loads(Path("experiments/tiny/cases.json").read_text())


@pytest.mark.parametrize("clustering", ["spectral", "kmeans"])
def test_medoids_of_a_pool_become_cases(clustering):
    cases = chosen(benchmark(clustering=clustering))
    assert len(cases) == len(set(cases.names)) == 3
    assert sum(case.weight for case in cases.cases) == pytest.approx(1)
    assert sum(case.size for case in cases.cases) == 24
    assert {case.family for case in cases.cases} == {"RealESRGAN"}
    assert {case.seed for case in cases.cases} == {0}
    assert all(set(case.tags) == {"noise", "jpeg", "blur"} for case in cases.cases)
    found = report()
    assert found["sha256"] == cases.digest == read_cases(FILE).digest
    assert found["of_families"] == {"RealESRGAN": {"pool": 24, "cases": 3}}
    assert found["clustering"] == clustering


def test_the_same_options_keep_the_file_and_others_are_refused():
    chosen(benchmark())
    before = FILE.read_bytes()
    chosen(benchmark())
    assert FILE.read_bytes() == before
    for change in ({"seed": 1}, {"pool": 30}, {"clustering": "kmeans"}):
        with pytest.raises(UserError, match="choose another seal:folder"):
            chosen(benchmark(**change))
    assert FILE.read_bytes() == before
    chosen(benchmark(overwrite=True, seed=1))
    assert FILE.read_bytes() != before


def test_it_is_the_same_every_time():
    first = chosen(benchmark(folder="a")).digest
    assert chosen(benchmark(folder="b")).digest == first
    assert chosen(benchmark(folder="c", seed=1)).digest != first


def test_several_families_are_counted_and_kept_with_their_spaces():
    choose_cases(benchmark(cases=6), BOTH)
    cases = read_cases(FILE)
    assert set(cases.families) <= {"a", "b"}
    found = report()
    assert sum(own["cases"] for own in found["of_families"].values()) == 6
    assert 0.5 <= found["purity_of_families"] <= 1
    assert found["families"]["b"] == {"share": 0.5, "space": {"type": "BSRGAN"}}


def test_two_reference_images_say_how_stable_the_clusters_are():
    chosen(benchmark(references=2))
    assert -1 <= report()["adjusted_rand"] <= 1
    assert len(report()["references"]) == 2


def test_cases_that_others_train_on_are_refused():
    own = benchmark(folder="a")
    chosen(own)
    with pytest.raises(UserError, match=r"3 cases of the report are also in 'a.cases.jsonl'"):
        choose_cases(benchmark(), list(own.families.values()), [Path("a/cases.jsonl")])
    assert not FILE.exists()
    with pytest.raises(UserError, match=r"same pool, seed 0|also in"):
        choose_cases(
            benchmark(cases=2, folder="b"), list(own.families.values()), [Path("a/cases.jsonl")]
        )
    choose_cases(
        benchmark(seed=1, folder="c"), list(own.families.values()), [Path("a/cases.jsonl")]
    )
