from __future__ import annotations

import json
from pathlib import Path

import pytest

from realsr_mtl.errors import UserError
from realsr_mtl.seal.lines import read_lines_file

CSV, JSON = Path("line.csv"), Path("lines.json")
ABOUT = dict.fromkeys(("cases", "images", "metrics", "recipe", "acceptance", "excellence"), "x")


def test_released_columns_are_known_also_under_their_second_prefix():
    CSV.write_text(
        ",fsrcnn_psnr,fsrcnn_lpips,fsrcnn_niqe,srresnet_psnr,msrresnet_lpips,msrresnet_niqe\n"
        "0,25.239,0.4,7.2,25.344,0.379,6.9\n1,23.5,0.557,9.1,23.72,0.536,9.4\n",
        encoding="utf-8-sig",
    )
    lines = read_lines_file(CSV)
    assert lines.names == ["0", "1"]
    assert lines.acceptance["psnr"].tolist() == [25.239, 23.5]
    assert lines.excellence["lpips"].tolist() == [0.379, 0.536]
    assert set(lines.acceptance) == {"psnr", "lpips"}  # without a reference there is no line
    assert lines.decimals == {"psnr": 3, "lpips": 3}
    assert lines.about["file"] == "line.csv"


def test_lines_that_were_trained_here():
    value = {"acceptance": {"psnr": 20.0}, "excellence": {"psnr": 21.0}, "inputs": "i"}
    JSON.write_text(json.dumps({"about": ABOUT, "lines_of": ["psnr"], "values": {"a": value}}))
    lines = read_lines_file(JSON)
    assert lines.excellence["psnr"].tolist() == [21]
    assert (lines.decimals, lines.inputs, lines.about) == ({"psnr": None}, {"a": "i"}, ABOUT)


def test_the_checksum_depends_on_the_values_and_not_on_the_order():
    digests = []
    for rows in ("0,1,2\n1,3,4\n", "1,3,4\n0,1,2\n", "0,1,2\n1,3,5\n"):
        CSV.write_text("case,acceptance_psnr,excellence_psnr\n" + rows)
        digests.append(read_lines_file(CSV).digest)
    assert digests[0] == digests[1] != digests[2]


def test_other_files_are_refused():
    CSV.write_text("case,acceptance_psnr,excellence_ssim\n0,1,2\n")
    with pytest.raises(UserError, match="no pair of lines; columns are acceptance_<metric>"):
        read_lines_file(CSV)
    with pytest.raises(UserError, match=r"no lines 'lines.json' .*seal.py lines, or import"):
        read_lines_file(JSON)
    JSON.write_text("{}")
    with pytest.raises(UserError, match=r"holds no lines of scripts/seal.py"):
        read_lines_file(JSON)
