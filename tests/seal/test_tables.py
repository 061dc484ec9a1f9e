from __future__ import annotations

from pathlib import Path

import pytest

from realsr_mtl.errors import UserError
from realsr_mtl.seal.tables import better, read_table, scores_of

FILE = Path("model.csv")


def write(text: str, encoding: str = "utf-8") -> Path:
    FILE.write_text(text, encoding=encoding)
    return FILE


def test_a_released_table_with_a_byte_order_mark():
    write(",A_net_psnr,A_net_lpips,B_psnr\n0,25.1,0.4,24\n1,23.455,0.55,23.5\n", "utf-8-sig")
    table = read_table(FILE)
    assert table.names == ["0", "1"]
    assert table.columns["A_net_psnr"].tolist() == [25.1, 23.455]
    assert table.decimals == {"A_net_psnr": 3, "A_net_lpips": 2, "B_psnr": 1}
    assert scores_of(table) == {
        "A_net": {"psnr": "A_net_psnr", "lpips": "A_net_lpips"},
        "B": {"psnr": "B_psnr"},
    }
    assert list(scores_of(table, "B")) == ["B"]
    with pytest.raises(UserError, match="has no model 'C', but A_net, B"):
        scores_of(table, "C")
    assert (better("lpips"), better("psnr")) == ("lower", "higher")


def test_the_table_of_test_py():
    write(
        "iter,dataset,task,network,images,psnr\n"
        ",val,s1,bicubic,2,20.0\n,val,s1,net_g,2,21.5\n,val,s2,net_g,2,22.5\n"
    )
    table = read_table(FILE)
    assert table.names == ["s1", "s2"]
    assert scores_of(table) == {"model": {"psnr": "psnr"}}
    assert table.columns["psnr"].tolist() == [21.5, 22.5]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no cases"),
        ("case\n1\n", "no column beside"),
        ("case,psnr\n1\n", "2 columns, but line 2 has 1"),
        ("case,psnr\n1,2\n1,3\n", "two rows of case '1'"),
        ("case,psnr\n1,good\n", "column 'psnr', case '1': 'good' is no number"),
        ("case,psnr\n1,nan\n", "'nan' is no number"),
    ],
)
def test_other_files_are_refused(text, sentence):
    with pytest.raises(UserError, match=sentence):
        read_table(write(text))


def test_no_file():
    with pytest.raises(UserError, match=r"'none.csv' does not exist"):
        read_table("none.csv")
    FILE.write_bytes(b"case,psnr\n\xff\xfe,2\n")
    with pytest.raises(UserError, match="is no CSV file"):
        read_table(FILE)
