"""The folders of a run, laid out as BasicSR's users know them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from realsr_mtl.config import Options
from realsr_mtl.writing import PART, archive


@dataclass(frozen=True)
class RunFolder:
    """``experiments/<name>`` and ``tb_logger/<name>``."""

    root: Path
    tensorboard: Path

    @staticmethod
    def of(options: Options) -> RunFolder:
        """The folders of an experiment; nothing is made yet."""
        return RunFolder(
            Path(options.path.experiments_root) / options.name,
            Path(options.path.tb_root) / options.name,
        )

    @property
    def models(self) -> Path:
        """Weight files."""
        return self.root / "models"

    @property
    def states(self) -> Path:
        """Training states."""
        return self.root / "training_states"

    @property
    def visualization(self) -> Path:
        """Validation images."""
        return self.root / "visualization"

    @property
    def report(self) -> Path:
        """Figures."""
        return self.root / "report"

    @property
    def nonfinite(self) -> Path:
        """Samples that gave NaN or infinity, for scripts/replay.py."""
        return self.root / "nonfinite"

    def weights(self, label: int | str) -> Path:
        """``models/net_g_<label>.pth``."""
        return self.models / f"net_g_{label}.pth"

    def discriminator(self, label: int | str) -> Path:
        """``models/net_d_<label>.pth``."""
        return self.models / f"net_d_{label}.pth"

    def of_iteration(self, iteration: int) -> list[Path]:
        """The files of a checkpoint, the state last."""
        return [self.discriminator(iteration), self.weights(iteration), self.state(iteration)]

    def state(self, iteration: int) -> Path:
        """``training_states/<iteration>.state``."""
        return self.states / f"{iteration}.state"

    def iterations(self) -> list[int]:
        """Iterations that have a state, in order."""
        found = (path.stem for path in self.states.glob("*.state"))
        return sorted(int(stem) for stem in found if stem.isdigit())

    def set_aside_after(self, iteration: int) -> None:
        """Rename states and weights of later iterations, which a resumed run makes again."""
        for later in [i for i in self.iterations() if i > iteration]:
            for file in self.of_iteration(later):
                if file.exists():
                    file.rename(file.with_name(f"{file.name}.superseded"))

    def create(self, resume: bool) -> None:
        """Make the folders; those of an earlier run are renamed unless it is resumed.

        Rests of files that were being written when a run was killed are removed.
        """
        if not resume:
            for folder in (self.root, self.tensorboard):
                archive(folder)
        for folder in (self.models, self.states, self.visualization):
            folder.mkdir(parents=True, exist_ok=True)
            for rest in folder.glob(f".*{PART}"):
                rest.unlink()
