"""What holds for the package as a whole: floors, names, mirrored tests, documented options."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import realsr_mtl
from realsr_mtl.config import load_options
from realsr_mtl.config.reader import read_yaml
from realsr_mtl.experiment import Experiment
from realsr_mtl.registry import Registry, argument_texts, option_parameters
from realsr_mtl.training import TrainingPlan

PACKAGE = Path(realsr_mtl.__file__).parent
ROOT = PACKAGE.parent
SOURCES = sorted(p for p in PACKAGE.rglob("*.py"))

FLOORS = {
    1: {"errors", "naming", "registry", "command", "processes", "reporting", "bridges", "writing"},
    2: {"degradations", "config", "archs", "metrics"},
    3: {"batch", "tasks", "losses"},
    4: {"strategies", "data", "seal"},
    5: {"evaluation"},
    6: {"experiment", "restoration"},
    7: {"testing", "training"},
    8: {"train", "test"},
}
FLOOR = {part: floor for floor, parts in FLOORS.items() for part in parts}
SHARED_FLOORS = {1, 2}
"""Floors whose parts may import each other."""
SHARED_PARTS = {"batch"}
"""Parts that others of their floor may import: the types they all speak of."""

EXEMPT: dict[str, str] = {
    "batch.py": "a record and names of types; used by the tests of data, tasks and training",
}
"""Modules without a test file of their own, and why."""

REGISTRIES = {
    "DATASETS": "data",
    "SAMPLERS": "degradations",
    "TASK_SETS": "tasks",
    "TARGETS": "tasks",
    "SAMPLINGS": "strategies",
    "WEIGHTINGS": "strategies",
    "GRADIENTS": "strategies",
    "GROUPINGS": "strategies",
    "ARCHS": "archs",
    "DISCRIMINATORS": "archs",
    "LOSSES": "losses",
    "METRICS": "metrics",
    "OPTIMIZERS": "training.optimizers",
    "SCHEDULES": "training.schedules",
}


def relative(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_parts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and part of every import from the package, also those inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            own = node.module == "realsr_mtl"
            modules = [f"{node.module}.{a.name}" for a in node.names] if own else [node.module]
        else:
            continue
        for module in modules:
            package, _, rest = module.partition(".")
            if package == "realsr_mtl" and not rest.startswith("__"):
                yield node.lineno, rest.partition(".")[0]


def imports() -> Iterator[tuple[str, str, str]]:
    """Place, importing part and imported part of every import between two parts."""
    for path in SOURCES:
        for line, part in imported_parts(ast.parse(path.read_text(encoding="utf-8"))):
            if part != part_of(path):
                yield f"{relative(path)}:{line}", part_of(path), part


def allowed(upper: str, lower: str) -> bool:
    if FLOOR[upper] == FLOOR[lower]:
        return FLOOR[upper] in SHARED_FLOORS or lower in SHARED_PARTS
    return FLOOR[upper] > FLOOR[lower]


def test_every_part_has_a_floor():
    assert {part_of(p) for p in SOURCES} - {"__init__"} == set(FLOOR)


def test_imports_are_found_wherever_they_stand():
    source = "import realsr_mtl.a.b\ndef f():\n  from realsr_mtl import c, __version__\n"
    source += "  if f:\n    from realsr_mtl.d import e\nimport os\nfrom realsr import x\n"
    assert sorted(imported_parts(ast.parse(source))) == [(1, "a"), (3, "c"), (5, "d")]


def test_imports_run_downwards_only():
    found = list(imports())
    assert found
    assert [f"{where}: {a} imports {b}" for where, a, b in found if not allowed(a, b)] == []


def test_parts_do_not_import_each_other_in_a_circle():
    graph: dict[str, set[str]] = {}
    for _, upper, lower in imports():
        graph.setdefault(upper, set()).add(lower)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(error.args[1]))


def test_no_name_hides_the_standard_library_when_train_py_runs_as_a_file():
    names = {p.name.removesuffix(".py") for p in PACKAGE.iterdir() if not p.name.startswith("__")}
    assert (names & sys.stdlib_module_names) - {"test"} == set()


def test_every_module_is_named_after_what_it_holds():
    vague = {"utils", "util", "helpers", "misc", "common"}
    assert [relative(p) for p in SOURCES if vague & {p.stem, *p.relative_to(PACKAGE).parts}] == []


def has_code(path: Path) -> bool:
    """Whether there is more in a file than a docstring, imports and plain names."""
    if path.name != "__init__.py":
        return True
    plain = (ast.Import, ast.ImportFrom, ast.Assign, ast.Expr)
    return not all(isinstance(n, plain) for n in ast.parse(path.read_text(encoding="utf-8")).body)


def mirror(path: Path) -> Path:
    """``archs/build.py`` to ``archs/test_build.py``, ``archs/__init__.py`` to ``test_archs.py``."""
    module = path.parent if path.name == "__init__.py" else path.with_suffix("")
    if module == PACKAGE:
        return ROOT / "tests" / "test_package.py"
    return ROOT / "tests" / module.relative_to(PACKAGE).parent / f"test_{module.name}.py"


def test_every_module_has_a_mirrored_test_file():
    wanted = {relative(p): mirror(p) for p in SOURCES if has_code(p)}
    without = sorted(name for name, test in wanted.items() if not test.is_file())
    assert without == sorted(EXEMPT)


def test_every_test_file_mirrors_a_module():
    mirrored = {mirror(p) for p in SOURCES}
    own = {Path(__file__)}
    for folder in ("scripts", "smoke"):  # of the commands beside the package, of whole runs
        own |= set((ROOT / "tests" / folder).glob("*.py"))
    tests = set((ROOT / "tests").rglob("test_*.py"))
    assert sorted(p.relative_to(ROOT).as_posix() for p in tests - mirrored - own) == []


def test_every_folder_of_tests_is_a_package():
    folders = {p.parent for p in (ROOT / "tests").rglob("*.py")}
    assert [f for f in folders if not (f / "__init__.py").is_file()] == []


def registered() -> Iterator[tuple[str, str]]:
    for registry in REGISTRIES:
        yield from ((registry, name) for name in registry_of(registry))


def registry_of(name: str) -> Registry[object]:
    found = getattr(importlib.import_module(f"realsr_mtl.{REGISTRIES[name]}"), name)
    assert isinstance(found, Registry)
    return found


def test_no_registry_is_missing_here():
    made = {
        target.id
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.AnnAssign) and isinstance(target := node.target, ast.Name)
        if ast.unparse(node.annotation).startswith("Registry[")
    }
    assert made == set(REGISTRIES)


@pytest.mark.parametrize(("registry", "name"), registered())
def test_every_option_of_a_registered_class_is_documented(registry: str, name: str):
    factory = registry_of(registry).get(name)
    options = [p.name for p in option_parameters(factory, keyword_only=True)]
    texts = argument_texts(factory)
    assert [option for option in options if not texts.get(option)] == []
    assert set(texts) <= set(options)


@pytest.mark.parametrize(("registry", "name"), registered())
def test_the_first_line_of_a_registered_class_describes_it(registry: str, name: str):
    factory = registry_of(registry).get(name)
    assert factory.__doc__, "inherited or missing"
    line = registry_of(registry).describe(name)
    assert 10 < len(line) < 100
    assert line.endswith(".")


GLOBAL_STATE = {
    "random.seed": set(),
    "numpy.random": set(),
    "np.random": {  # Philox with a key, no state
        "degradations/fields.py",
        "reporting/bootstrap.py",
    },
    "import random": set(),
    "from random": set(),
    ".cuda(": set(),
    "torch.manual_seed": set(),
    "default_generator": {  # inside fork_rng
        "archs/build.py",
        "strategies/gradients/jacobian_descent.py",
        "training/forward.py",
    },
    "torch.cuda.manual_seed": {"training/forward.py"},  # inside fork_rng
}


@pytest.mark.parametrize("text", GLOBAL_STATE)
def test_no_module_touches_global_random_state_or_names_a_device(text: str):
    found = {relative(p) for p in SOURCES if text in p.read_text(encoding="utf-8")}
    assert found == GLOBAL_STATE[text]


def option_files(*patterns: str) -> list[str]:
    folder = ROOT / "options"
    found = [p for pattern in patterns for p in folder.glob(pattern)]
    assert found
    return sorted(p.relative_to(folder).as_posix() for p in found)


@pytest.mark.parametrize("file", option_files("quickstart.yml", "train/**/*.yml", "seal/*.yml"))
def test_every_option_file_for_training_is_valid(file: str):
    loaded = load_options(ROOT / "options" / file)
    assert loaded.warnings == []
    assert TrainingPlan(loaded).train.total_iter > 0


def differing_blocks(*files: str) -> set[str]:
    """Top-level blocks in which option files are not the same."""
    contents = [read_yaml(ROOT / "options" / "train" / file)[0] for file in files]
    keys = {key for content in contents for key in content}
    return {key for key in keys if any(c.get(key) != contents[0].get(key) for c in contents)}


COMPARED = ("natural", "uniform", "cdr", "focal", "art", "equal", "rlw", "dwa")


def test_the_compared_files_differ_in_the_strategy_only():
    files = [f"comparison/{arm}.yml" for arm in COMPARED]
    assert differing_blocks(*files) == {"name", "strategy"}
    for arm in COMPARED:
        assert differing_blocks(f"comparison/{arm}.yml", f"{arm}/bsds.yml") == {"name"}


@pytest.mark.parametrize("kind", ["quickstart", "bsds"])
def test_the_files_of_the_methods_differ_in_the_strategy_only(kind: str):
    found = [file.removeprefix("train/") for file in option_files(f"train/*/{kind}.yml")]
    # those start from a trained network, restore at full size, have heads or a discriminator
    others = ("tgsr/", "all_in_one/", "task_heads/", "real_srgan/")
    files = [file for file in found if not file.startswith(others)]
    assert len(files) >= 20
    assert differing_blocks(*files) == {"name", "strategy"}
    for file in files:
        name = read_yaml(ROOT / "options/train" / file)[0]["name"]
        assert name == file.replace("/", "_").removesuffix(".yml")


def test_art_and_mix_differ_in_the_strategy_only():
    assert differing_blocks("all_in_one/quickstart.yml", "all_in_one/mix.yml") == {
        "name",
        "strategy",
    }


@pytest.mark.parametrize("host", ["airnet", "promptir", "nafnet", "transweather", "bsds"])
def test_the_all_in_one_files_of_a_host_differ_in_the_strategy_only(host: str):
    found = option_files(f"train/all_in_one/{host}/*.yml")
    files = [file.removeprefix("train/") for file in found]
    methods = {"mix", "equal", "rlw", "art"} | ({"dwa"} if host != "bsds" else set())
    assert methods <= {Path(file).stem for file in files}
    assert differing_blocks(*files) == {"name", "strategy"}
    for file in files:
        options = read_yaml(ROOT / "options/train" / file)[0]
        assert options["name"] == file.replace("/", "_").removesuffix(".yml")
        assert ("strategy" in options) == (Path(file).stem != "mix")


@pytest.mark.parametrize("folder", ["real_srgan", "real_esrgan", "real_swinir", "real_hat"])
def test_the_files_of_a_stage_differ_in_the_strategy_only(folder: str):
    adversarial = [f"{folder}/gan{suffix}.yml" for suffix in ("", "_cdr", "_tgsr")]
    assert differing_blocks(*adversarial) == {"name", "strategy"}
    assert differing_blocks(f"{folder}/net_cdr.yml", f"{folder}/net_tgsr.yml") == {
        "name",
        "strategy",
    }
    assert differing_blocks(f"{folder}/gan.yml", "real_esrgan/gan.yml") <= {
        "name",
        "path",
        "network_g",
        "datasets",
    }


def test_the_small_adversarial_files_differ_in_the_strategy_only():
    files = [f"real_srgan/quickstart{suffix}.yml" for suffix in ("", "_cdr", "_tgsr")]
    assert differing_blocks(*files) == {"name", "strategy"}


def test_tgsr_and_its_controls_differ_in_the_strategy_only():
    files = [f"tgsr/{arm}.yml" for arm in ("bsds", "continued", "random", "bound")]
    assert differing_blocks(*files) == {"name", "strategy"}


@pytest.mark.parametrize("file", option_files("quickstart.yml", "train/**/*.yml", "seal/*.yml"))
def test_every_option_file_says_what_was_measured(file: str):
    header = (ROOT / "options" / file).read_text(encoding="utf-8").split("\nname:", 1)[0]
    assert "EXPECTED" not in header
    assert header.startswith("# ") and "python " in header


@pytest.mark.parametrize("file", option_files("test/**/*.yml"))
def test_every_option_file_for_testing_is_valid(file: str):
    loaded = load_options(ROOT / "options" / file)
    assert loaded.warnings == []
    phases = Experiment(loaded).options.datasets
    assert any(phase.startswith("test") for phase in phases)
