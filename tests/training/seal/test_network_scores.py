from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from realsr_mtl.errors import UserError
from realsr_mtl.seal.lines import Lines
from realsr_mtl.training.seal import check_lines_apply, score_network


class Nearest(nn.Module):
    def forward(self, x):
        return x.repeat_interleave(4, -1).repeat_interleave(4, -2)


def test_scores_of_all_cases_with_what_they_depend_on(scorer):
    found = score_network(scorer, Nearest(), "nearest", "file.pth")
    assert found.names == scorer.cases.names
    assert found.values["psnr"][2] == scorer.score(Nearest(), found.names[2])["psnr"]
    assert found.better == {"psnr": "higher", "ssim": "higher"}
    assert found.about["weights"] == "file.pth"
    bicubic = score_network(scorer, None, "bicubic")
    assert bicubic.about["inputs"] == found.about["inputs"]
    assert not np.allclose(bicubic.values["psnr"], found.values["psnr"])
    scorer.score = lambda network, case: {"psnr": float("inf"), "ssim": 1.0}  # type: ignore[method-assign]
    with pytest.raises(UserError, match="'x' has no finite psnr on case"):
        score_network(scorer, None, "x")


def test_lines_of_other_cases_images_or_metrics_are_refused(scorer, heard):
    scores = score_network(scorer, None, "bicubic")
    about = {k: scores.about[k] for k in ("cases", "images", "metrics")}
    inputs = scores.about["inputs_of_cases"]

    def lines(about: dict, inputs: dict) -> Lines:
        return Lines(scores.names, {}, {}, {}, about, inputs)

    check_lines_apply(scores, lines(about, inputs))
    check_lines_apply(scores, lines({"file": "line.csv"}, {}))
    assert heard.text == ""
    for key in ("cases", "images"):
        with pytest.raises(UserError, match=f"trained for other {key}"):
            check_lines_apply(scores, lines({**about, key: "other"}, inputs))
    metrics = {"psnr": {**about["metrics"]["psnr"], "crop_border": 4}}
    with pytest.raises(UserError, match="another definition of 'psnr'"):
        check_lines_apply(scores, lines({**about, "metrics": metrics}, inputs))
    check_lines_apply(scores, lines(about, {**inputs, scores.names[0]: "x"}))
    assert "LQ images of 1 cases differ" in heard.text
