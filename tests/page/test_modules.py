"""Joining ES modules into one."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.page.modules import joined


def folder_of(folder: Path, **modules: str) -> Path:
    for name, text in modules.items():
        path = folder / f"{name.replace('__', '/')}.js"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder


def test_a_module_comes_after_those_that_it_imports_and_each_once(tmp_path: Path) -> None:
    files = joined(
        folder_of(
            tmp_path,
            main='import { one } from "./core/one.js";\nimport * as two from "./core/two.js";\nexport { three } from "./core/two.js";\nexport * as one_module from "./core/one.js";\nexport function start() {}\n',
            core__one="export const one = /** @type {number} */ (\n  /** @type {unknown} */ (1)\n);\n/** twice\n */\n",
            core__two='// twice one\nimport {\n  one,\n} from "./one.js";\nexport async function three() {}\nexport class Two {}\n',
        ),
        "main.js",
        "all.js",
    )
    assert list(files) == ["all.js"]
    text = files["all.js"]
    assert [line for line in text.splitlines() if line.startswith("//")] == ["// core/one.js", "// core/two.js", "// main.js"]
    assert "const one = /** @type {number} */ (\n  /** @type {unknown} */ (1)\n);" in text and "/** twice" not in text
    assert "const { one } = $core_one;" in text and "const two = $core_two;" in text and "const {\n  one,\n} = $core_one;" in text
    assert "return { three, Two };" in text and "return { start, three: $core_two.three, one_module: $core_one };" in text
    assert text.endswith('export const modules = { "core/one.js": $core_one, "core/two.js": $core_two, "main.js": $main };\n')


def test_comments_on_lines_of_their_own_are_left_out_and_nothing_else(tmp_path: Path) -> None:
    code = "/** a cast */ (a)\n/**\n * said\n */\nb; // beside\n  // alone\nc; /* in */\n"
    assert "{\n/** a cast */ (a)\nb; // beside\nc; /* in */\n" in joined(folder_of(tmp_path, main=code), "main.js", "all.js")["all.js"]


@pytest.mark.parametrize(
    "line",
    ['import "./core/one.js";', 'import { one as other } from "./core/one.js";', 'import one from "./core/one.js";', "export default 1;", "export let one = 1;", "export { one };", 'export * from "./core/one.js";'],
)  # fmt: skip
def test_a_form_that_is_not_known_is_an_error(line: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"main\.js: this form of import or export cannot be joined"):
        joined(folder_of(tmp_path, main=line + "\n", core__one="export const one = 1;\n"), "main.js", "all.js")


def test_a_cycle_is_an_error(tmp_path: Path) -> None:
    folder_of(tmp_path, main='import { a } from "./a.js";\n', a='import { b } from "./b.js";\nexport const a = 1;\n', b='import { a } from "./a.js";\nexport const b = 1;\n')
    with pytest.raises(ValueError, match=r"a cycle of imports: main\.js → a\.js → b\.js → a\.js"):
        joined(tmp_path, "main.js", "all.js")


def test_what_is_imported_later_is_a_file_of_its_own_that_shares_the_modules_of_the_first(tmp_path: Path) -> None:
    files = joined(
        folder_of(
            tmp_path,
            main='import { one } from "./core/one.js";\nexport const go = () => import("./labs/registry.js");\n',
            core__one="export const one = 1;\n",
            labs__registry='export * as first from "./first.js";\n',
            labs__first='import { one } from "../core/one.js";\nexport const two = one + 1;\n',
        ),
        "main.js",
        "all.js",
    )
    assert list(files) == ["all.js", "labs.js"]
    assert 'go = () => import(new URL("labs.js", import.meta.url).href).then(({ entry }) => entry);' in files["all.js"] and "two" not in files["all.js"]
    assert files["labs.js"].startswith('import { modules } from "./all.js";\nconst $core_one = modules["core/one.js"];\n')
    assert "const one = 1" not in files["labs.js"] and files["labs.js"].endswith("export const entry = $labs_registry;\n")
