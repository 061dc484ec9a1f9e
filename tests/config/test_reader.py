import math
from pathlib import Path

import pytest

from realsr_mtl.config.reader import parse_value, read_yaml
from realsr_mtl.errors import UserError


def read(text, encoding="utf-8"):
    path = Path("o.yml")
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return read_yaml(path)


def refusal(text):
    with pytest.raises(UserError) as caught:
        read(text)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("1E-4", 1e-4),
        ("5e3", 5000.0),
        ("+5e+3", 5000.0),
        ("!!float 5e3", 5000.0),
        ("!!float 1", 1.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("-0.0", -0.0),
        ("1.e5", 1e5),
        (".inf", math.inf),
        ("-.inf", -math.inf),
        ("12", 12),
        ("-1", -1),
        ("010", 10),
        ("!!int 010", 10),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("1e", "1e"),
        ("e5", "e5"),
        ("1-2", "1-2"),
        ("2024-01-31", "2024-01-31"),
        ("1.2.3", "1.2.3"),
        ("true", True),
        ("True", True),
        ("FALSE", False),
        ("tRUE", "tRUE"),
        ("yes", "yes"),
        ("off", "off"),
        ("n", "n"),
        ("~", None),
        ("null", None),
        ("", None),
        ("# nothing but a comment", None),
        ("nil", "nil"),
        ("'1e-4'", "1e-4"),
        ('"10"', "10"),
        ("'true'", "true"),
        ("'~'", "~"),
        ("''", ""),
        ("!!str 10", "10"),
        ("a#b", "a#b"),
        ("a # b", "a"),
        ("=", "="),
        ("'<<'", "<<"),
        ("[1e-4, ~, 010, [x]]", [1e-4, None, 10, ["x"]]),
        ("{a: 1e3, b: {}}", {"a": 1000.0, "b": {}}),
    ],
)
def test_values_read_as_people_mean_them(text, value):
    found = read(f"key: {text}\n")[0]["key"]
    assert found == value
    assert type(found) is type(value)
    assert parse_value(text) == value


def test_not_a_number_is_one():
    assert math.isnan(read("key: .nan")[0]["key"])


def test_lines_are_those_of_the_keys():
    text = "# head\na: 1\n\nb:\n  c: {d: 1,\n      e: 2}\n  f:\n    - g: 3\n    - h: 4\n"
    assert read(text)[1] == {
        ("a",): 2,
        ("b",): 4,
        ("b", "c"): 5,
        ("b", "c", "d"): 5,
        ("b", "c", "e"): 6,
        ("b", "f"): 7,
        ("b", "f", 0, "g"): 8,
        ("b", "f", 1, "h"): 9,
    }


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_files_of_other_editors_read_the_same(newline, encoding):
    text = newline.join(["a: é 中", "b: 2", ""])
    assert read(text, encoding) == ({"a": "é 中", "b": 2}, {("a",): 1, ("b",): 2})


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "a"),
        ("a:\n  b: 1\n  'b': 1\n", 3, "a:b"),
        ("x: [{b: 1, b: 2}]", 1, "x:0:b"),
        ("m: &m {b: 1}\nx:\n  <<: *m\n  c: 1\n  c: 2\n", 5, "x:c"),
    ],
)
def test_a_key_that_stands_twice_is_an_error(text, line, key):
    assert refusal(text) == f"o.yml, line {line}: {key}: this key stands here twice; remove one"


@pytest.mark.parametrize("key", ["1", "true", "~", "1e-4"])
def test_a_key_is_text(key):
    assert refusal(f"a: 0\n{key}: 1") == (
        f"o.yml, line 2: {key}: a key is a word; if this one is, write '{key}'"
    )
    assert read(f"'{key}': 1")[0] == {key: 1}


@pytest.mark.parametrize("key", ["[a, b]", "{a: b}", "? [a]\n"])
def test_a_key_is_no_list_or_block(key):
    assert refusal(f"{key}: 1").startswith("o.yml, line 1: not valid YAML (")


def test_anchors_repeat_a_block():
    value, lines = read("a: &x {b: [1, 2]}\nc: *x\nd: &y 5\ne: *y\n")
    assert value == {"a": {"b": [1, 2]}, "c": {"b": [1, 2]}, "d": 5, "e": 5}
    assert value["a"] is not value["c"]
    assert lines["c",] == 2
    assert lines["c", "b"] == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<<: *base\nb: 3", {"a": 1, "b": 3}),
        ("b: 3\n<<: *base", {"a": 1, "b": 3}),
        ("<<: [*base, *more]", {"a": 1, "b": 2, "c": 9}),
        ("<<: *more\n<<: *base", {"a": 1, "b": 2, "c": 9}),
        ("<<: {a: 7}\nc: 1", {"a": 7, "c": 1}),
    ],
)
def test_merge_keys_fill_in_what_a_block_lacks(text, expected):
    body = "".join(f"  {line}\n" for line in text.splitlines())
    value, _ = read(f"base: &base {{a: 1, b: 2}}\nmore: &more {{b: 8, c: 9}}\nx:\n{body}")
    assert value["x"] == expected
    assert value["base"] == {"a": 1, "b": 2}


def test_a_merged_block_can_itself_be_repeated_and_merged():
    value, lines = read(
        "train: &t {type: A, root: x}\nval: &v\n  <<: *t\n  root: y\nval_2: *v\n"
        "val_3: {<<: *v, root: z}\n"
    )
    assert value["val"] == value["val_2"] == {"type": "A", "root": "y"}
    assert value["val_3"] == {"type": "A", "root": "z"}
    assert lines["val", "root"] == 4
    assert lines["val", "type"] == 1


@pytest.mark.parametrize(
    "text",
    ["a: &x [*x]", "a: &x {b: *x}", "a: &x {b: [{c: *x}]}", "a: *nothing"],
)
def test_anchors_that_lead_nowhere_are_errors(text):
    assert refusal(text).startswith("o.yml, line 1: not valid YAML (")


@pytest.mark.parametrize(
    "value",
    [
        "!!python/object/apply:os.system ['touch harmed']",
        "!!python/object/apply:os.system\n    - touch harmed",
        "!!python/object/new:os.system {args: ['touch harmed']}",
        "!!python/name:os.system",
        "!!python/tuple [1, 2]",
        "!local 5",
        "!!set {a}",
    ],
)
def test_a_tag_that_could_run_code_is_an_error(value):
    sentence = refusal(f"a: 1\nb: {value}\n")
    assert sentence.startswith("o.yml, line 2: not valid YAML (")
    assert "tag" in sentence
    assert not Path("harmed").exists()
    with pytest.raises(UserError, match="is not a YAML value"):
        parse_value(value)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("!!float x", "'x' is no !!float"),
        ("!!float ''", "'' is no !!float"),
        ("!!int 4.5", "'4.5' is no !!int"),
        ("!!int 0x4", "'0x4' is no !!int"),
        ("!!bool 4", "'4' is no !!bool"),
        ("!!timestamp soon", "'soon' is no !!timestamp"),
    ],
)
def test_a_value_that_does_not_fit_its_tag_is_an_error(value, complaint):
    assert refusal(f"a: 1\nb: [{value}]") == f"o.yml, line 2: not valid YAML ({complaint})"
    with pytest.raises(UserError, match=complaint):
        parse_value(value)


@pytest.mark.parametrize(
    "path", [r"C:\data\hr", r"D:\Users\me", r"D:\new\train", r"c:\temp", r"Z:\a b\1"]
)
def test_a_windows_path_works_but_in_double_quotes(path):
    for text in (path, f"'{path}'", '"' + path.replace("\\", "\\\\") + '"'):
        assert read(f"root: {text}")[0] == {"root": path}
    assert refusal(f'a: 1\nroot: "{path}"').endswith(
        "write paths with backslashes in single quotes or without quotes)"
    )
    assert "o.yml, line 2: " in refusal(f'a: 1\nroot: "{path}"')


def test_escapes_in_double_quotes_are_for_other_text():
    assert read(r'a: "x\ty\n"')[0] == {"a": "x\ty\n"}
    assert read('a: "D:/new"')[0] == {"a": "D:/new"}


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("a: 1\n\tb: 2", 2, "indent with spaces, not tabs"),
        ("a:\n\t- 1", 2, "indent with spaces, not tabs"),
        ("a: [1, 2\nb: 3", 2, "expected ',' or ']'"),
        ("a: 1\n b: 2", 2, "mapping values are not allowed here"),
        ('a: "x', 1, "unexpected end of stream"),
        ("a: @x", 1, "'@'"),
        ("a: 1\n---\nb: 2", 2, "another document"),
        ("a: 1\nb:2\nc: 3\n", 2, "a space behind the colon"),
        ("a: 1\nb", 2, "a space behind the colon"),
    ],
)
def test_broken_yaml_is_one_sentence_with_the_line(text, line, part):
    sentence = refusal(text)
    assert sentence.startswith(f"o.yml, line {line}: not valid YAML (")
    assert part in sentence


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (b"", "expected 'key: value' lines"),
        (b"# only a comment\n", "expected 'key: value' lines"),
        (b"- a\n- b\n", "expected 'key: value' lines, found list"),
        (b"just words", "expected 'key: value' lines, found str"),
        ("a: é".encode("latin-1"), "not UTF-8 text"),
        ("a: 1".encode("utf-16"), "not UTF-8 text"),
        (b"\x89PNG\r\n\x1a\n", "not UTF-8 text"),
        (b"a: \x00", "not valid YAML (unacceptable character #x0000"),
    ],
)
def test_a_file_that_is_no_option_file(text, part):
    assert part in refusal(text)


def test_a_path_that_is_no_file():
    Path("folder").mkdir()
    Path("file").touch()
    for path, part in (
        ("none.yml", f"option file 'none.yml' does not exist (seen from {Path.cwd()})"),
        ("folder", "'folder' is a folder"),
        ("file/x.yml", "option file 'file/x.yml' cannot be read: "),
        ("x" * 300, "cannot be read: "),
    ):
        with pytest.raises(UserError) as caught:
            read_yaml(Path(path))
        assert part in str(caught.value)


@pytest.mark.parametrize("text", ["[1", "{a: 1, a: 2}", "a: b: c", "*x"])
def test_a_broken_value_of_the_command_line_is_one_sentence(text):
    with pytest.raises(UserError) as caught:
        parse_value(text)
    assert str(caught.value).startswith(f"'{text}'")
    assert "\n" not in str(caught.value)


LAUGHS = "".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]\n" for i in range(1, 30))
MERGES = "".join(f"l{i}: &l{i} {{<<: [*l{i - 1}, *l{i - 1}]}}\n" for i in range(1, 60))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (f"l0: &l0 [x, x]\n{LAUGHS}", "the file makes more than 50,000 values"),
        (f"l0: &l0 {{a: {{b: 1}}}}\n{MERGES}l: *l59", ""),
        ("a: &a {<<: *a}", "an anchor stands inside itself"),
        ("a: &a {b: {<<: [*a]}}", "an anchor stands inside itself"),
        ("a: {<<: 5}", "'<<' takes a block or a list of blocks"),
        ("a: {<<: [{b: 1}, 5]}", "'<<' takes a block or a list of blocks"),
        ("a: {<<: !!omap {b: 1}}", "tag"),
        ("a: " + "[" * 10_000, "more than 32 deep"),
        ("a: " + "[" * 33 + "]" * 33, "more than 32 deep"),
        ("a: " + "{a: " * 10_000, "more than 32 deep"),
        ("".join(f"{' ' * i}a:\n" for i in range(500)), "more than 32 deep"),
        ("- " * 10_000, "more than 32 deep"),
        ("a: " + "9" * 5000, "is no !!int"),
        ("a: !!float " + "x" * 5000, "is no !!float"),
        ("#" * 300_000, "larger than 256 KiB"),
        ("a: \ud800", "not UTF-8"),
    ],
)
def test_a_hostile_file_is_read_in_bounds_or_refused(text, part):
    content = text.encode("utf-8", "surrogatepass")
    if not part:
        assert read(content)[0]["l"] == {"a": {"b": 1}}
        return
    sentence = refusal(content)
    assert part in sentence
    assert len(sentence) < 500


def test_an_endless_file_is_not_read_to_its_end():
    with pytest.raises(UserError, match="larger than"):
        read_yaml(Path("/dev/zero"))


def test_of_a_merged_list_the_first_block_counts_at_every_depth():
    text = "a: &a {x: 1}\nb: &b {<<: *a, x: 2, y: 2}\nc: {<<: [*a, *b]}\nd: {<<: [*b, *a], z: 3}\n"
    value, lines = read(text)
    assert value["c"] == {"x": 1, "y": 2}
    assert value["d"] == {"x": 2, "y": 2, "z": 3}
    assert lines["c", "y"] == 2
