"""A component's modules become one script, in which every name is defined once and before it is needed."""

import re
from pathlib import Path

import pytest

from scse_viz.ui.components import scripts

COMPONENTS = Path(scripts.__file__).parent
ENTRIES = ("panels/panels.js", "network/network.js", "viewer/viewer.js", "viewer/part.js", "keys/keys.js")
TOP = re.compile(r"^(?:async )?(?:const|let|function|class) (\w+)", re.MULTILINE)


@pytest.mark.parametrize("entry", ENTRIES)
def test_the_script_of_a_component_has_one_export_and_no_name_twice(entry):
    script = scripts.script(COMPONENTS / entry)
    assert re.findall(r"^export .*", script, re.MULTILINE) == re.findall(r"^export default .*", script, re.MULTILINE)
    assert len(re.findall(r"^export default ", script, re.MULTILINE)) == 1
    assert not re.search(r"^import\b", script, re.MULTILINE)
    names = TOP.findall(script)
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_every_module_is_part_of_a_component():
    used = {path for entry in ENTRIES for path in scripts._modules((COMPONENTS / entry).resolve(), {})}
    ours = {path for path in COMPONENTS.resolve().rglob("*.js") if path.parent.name != "niivue"}
    assert ours - used == set()


def test_a_module_comes_after_those_that_it_imports_and_only_once(tmp_path):
    (tmp_path / "a.js").write_text('import { b } from "./b.js";\nimport { c } from "./c.js";\nexport default b(c);\n')
    (tmp_path / "b.js").write_text('import {\n  c,\n} from "./c.js";\nexport const b = () => c;\n')
    (tmp_path / "c.js").write_text("export const c = 1;\n")
    assert scripts.script(tmp_path / "a.js").split("\n") == [
        "const c = 1;",
        "",
        "const b = () => c;",
        "",
        "export default b(c);",
        "",
    ]
