# SPDX-License-Identifier: Apache-2.0
"""The check scripts of tools/ find what they are for, and let pass what they should."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import check_codes  # noqa: E402
import check_layers  # noqa: E402
import check_links  # noqa: E402
import check_words  # noqa: E402
import function_lengths  # noqa: E402
import refusals  # noqa: E402
import tracked_files  # noqa: E402


def path(name):
    return pathlib.PurePosixPath(name)


class CheckLayers(unittest.TestCase):
    def problems(self, name, text):
        return check_layers.check_file(path(name), text)

    def test_allows_named_folders(self):
        text = '#include "quote/quote.h"\n#include "crypto/crypto.h"\n#include "ratls/quote.h"\n'
        self.assertEqual(self.problems("src/evidence/read.cpp", text), [])

    def test_allows_the_own_folder_and_public_header(self):
        text = '#include "quote/body.h"\n#include "ratls/quote.h"\n#include "ratls/bytes.h"\n'
        self.assertEqual(self.problems("src/quote/quote.cpp", text), [])

    def test_refuses_a_folder_above(self):
        found = self.problems("src/quote/quote.cpp", '\n#include "verifier/verifier.h"\n')
        self.assertEqual(len(found), 1)
        self.assertTrue(found[0].startswith("src/quote/quote.cpp:2: "))

    def test_refuses_a_public_header_above(self):
        self.assertTrue(self.problems("src/verifier/verifier.cpp", '#include "ratls/tls.h"\n'))
        self.assertTrue(self.problems("include/ratls/quote.h", '#include "ratls/verifier.h"\n'))

    def test_refuses_private_headers_in_public_ones(self):
        self.assertTrue(self.problems("include/ratls/verifier.h", '#include "x509/crl.h"\n'))

    def test_refuses_unknown_folders_and_relative_paths(self):
        self.assertTrue(self.problems("src/quote/quote.cpp", '#include "nowhere/x.h"\n'))
        self.assertTrue(self.problems("src/quote/quote.cpp", '#include "body.h"\n'))
        self.assertTrue(self.problems("src/quote/quote.cpp", '#include "../tcb/tcb_info.h"\n'))
        self.assertTrue(self.problems("src/nowhere/x.cpp", ""))

    def test_refuses_libraries_elsewhere(self):
        self.assertTrue(self.problems("src/verifier/verifier.cpp", "#include <openssl/evp.h>\n"))
        self.assertEqual(self.problems("src/crypto/crypto.cpp", "#include <openssl/evp.h>\n"), [])

    def test_leaves_tests_and_the_tool_free(self):
        text = '#include "sim/platform.h"\n'
        self.assertEqual(self.problems("src/quote/quote_test.cpp", text), [])
        self.assertEqual(self.problems("cli/main.cpp", text), [])

    def test_has_no_cycle(self):
        self.assertEqual(check_layers.cycles(check_layers.LAYERS), [])
        self.assertTrue(check_layers.cycles({"a": {"b"}, "b": {"a"}}))

    def test_agrees_with_the_build(self):
        text = (ROOT / "CMakeLists.txt").read_text()
        for layer, used in check_layers.LAYERS.items():
            line = text.partition(f"ratls_folder({layer} ")[2].partition(")")[0]
            linked = line.partition("USES ")[2].partition("SYSTEM")[0].split()
            self.assertLessEqual(set(linked), used, layer)


class CheckWords(unittest.TestCase):
    def words(self, name, text):
        return check_words.word_problems(path(name), text)

    def test_refuses_empty_names(self):
        for name in ("src/utils/x.cpp", "src/tls/tls_helper.h", "tests/common.py"):
            self.assertTrue(check_words.name_problems(path(name)), name)
        self.assertEqual(check_words.name_problems(path("src/tls/utility_bill.h")), [])

    def test_refuses_raw_bytes_outside_base(self):
        text = "auto* p = reinterpret_cast<int*>(q);\n"
        self.assertTrue(self.words("src/quote/quote.cpp", text))
        self.assertEqual(self.words("src/base/bytes.cpp", text), [])

    def test_refuses_open_work_without_issue(self):
        word = "TO" + "DO"
        self.assertTrue(self.words("src/quote/quote.cpp", f"// {word}: later\n"))
        self.assertEqual(self.words("src/quote/quote.cpp", f"// {word}(#12): later\n"), [])

    def test_refuses_machine_paths(self):
        self.assertTrue(self.words("README.md", "see " + "/wo" + "rk/main/x\n"))
        self.assertEqual(self.words("README.md", "see ~/work/x and src/work/x\n"), [])

    def test_refuses_dropped_results(self):
        self.assertTrue(self.words("src/tls/x.cpp", "(void)tls.replace(certificate);\n"))
        self.assertTrue(self.words("src/tls/x.cpp", "std::ignore = parse_quote(bytes);\n"))
        self.assertTrue(self.words("src/tls/x.cpp", "static_cast<void>(parse_quote(bytes));\n"))
        self.assertEqual(self.words("src/tls/x.cpp", "static_cast<void>(p.release());\n"), [])
        self.assertEqual(self.words("src/tls/x.cpp", "(void)unused;\n(void)::close(fd);\n"), [])

    def test_refuses_long_files_and_functions(self):
        body = "  f();\n" * 70
        over = check_words.sizes(path("src/quote/x.cpp"), f"void g() {{\n{body}}}\n" + "\n" * 500)
        self.assertEqual(set(over), {"src/quote/x.cpp", "src/quote/x.cpp:g"})
        self.assertEqual(len(check_words.size_problems(over, set())), 2)
        self.assertEqual(check_words.size_problems(over, set(over)), [])

    def test_refuses_exceptions_that_ended(self):
        self.assertTrue(check_words.size_problems({}, {"src/gone.cpp"}))

    def test_reads_exceptions_with_reasons_only(self):
        text = "- `a.cpp`: a table\n- `b.cpp`:\n- c.cpp: x\n"
        self.assertEqual(check_words.parse_exceptions(text), {"a.cpp"})


class FunctionLengths(unittest.TestCase):
    def test_measures_from_signature_to_brace(self):
        text = ("namespace a {\nclass B {\n  int c() const { return 1; }\n};\n"
                "template <class T>\nResult<T> d(T x,\n            T y = {}) {\n"
                "  if (x) {\n    f(\"}\");\n  }\n}\n"
                "const int kTable[] = {1, 2};\n"
                "TEST(Subject, Behaves) {\n}\n}\n")
        self.assertEqual(function_lengths.cpp_functions(text),
                         [("c", 1), ("d", 7), ("Subject.Behaves", 2)])

    def test_measures_python(self):
        self.assertEqual(function_lengths.python_functions("def f():\n  return 1\n"), [("f", 2)])


class CheckCodes(unittest.TestCase):
    HEADER = "enum class Code {\n  usage = 201,\n  quote_malformed = 306,\n  tcb_revoked = 604,\n};\n"

    def test_names_what_no_test_wants(self):
        tests = ["EXPECT_EQ(code, Code::quote_malformed);"]
        self.assertEqual(check_codes.missing_codes(self.HEADER, tests), ["tcb_revoked"])

    def test_takes_names_in_data(self):
        tests = ["Code::quote_malformed", '{"code": "tcb_revoked"}']
        self.assertEqual(check_codes.missing_codes(self.HEADER, tests), [])

    def test_needs_the_whole_name(self):
        self.assertIn("tcb_revoked", check_codes.missing_codes(self.HEADER, ["Code::tcb_revoked_2"]))


class CheckLinks(unittest.TestCase):
    TEXTS = {"README.md": "", "docs/a.md": "# The `[a]` title: x\n## Two\n## Two\n```\n# code\n```\n"}

    def problems(self, text, path="docs/b.md"):
        there = {*self.TEXTS, path, "docs", "tools", "tools/x"}
        return list(check_links.problems_of(path, {**self.TEXTS, path: text}, there))

    def test_follows_links_from_where_they_stand(self):
        self.assertEqual(self.problems(
            "[a](a.md) [r](../README.md) [x](../tools/x) [d](../docs/) [w](https://a/b) [m](mailto:a)\n"
            "[a]: a.md\n"), [])
        self.assertEqual(self.problems("[a](docs/a.md)", "c.md"), [])

    def test_names_what_is_not_there(self):
        self.assertEqual(self.problems("x\n[a](README.md)"), ["docs/b.md:2: there is no README.md"])
        for text in ("[a](../none)", "![a](a.png)", '[a](none.md "title")', "[a]: none.md", "[a](<n>)"):
            self.assertEqual(len(self.problems(text)), 1, text)

    def test_knows_headings_as_github_names_them(self):
        for anchor in ("the-a-title-x", "two", "two-1"):
            self.assertEqual(self.problems(f"[a](a.md#{anchor})"), [])
        for anchor in ("Two", "two-2", "code", "title"):
            self.assertEqual(len(self.problems(f"[a](a.md#{anchor})")), 1, anchor)
        self.assertEqual(self.problems("# Here\n[a](#here)"), [])
        self.assertEqual(len(self.problems("# Here\n[a](#there)")), 1)

    def test_leaves_code_alone(self):
        self.assertEqual(self.problems("`[a](b)` ``[a](`b)``\n```\n[a](b)\n```\n~~~\n[a](b)\n~~~\n"), [])


class Refusals(unittest.TestCase):
    def checks(self, body, result="Result<void>"):
        text = f"{result} f(int a) {{\n{body}\n}}\n"
        return [(check.line, check.kind, check.text)
                for check in refusals.find_checks("x.cpp", text)]

    def test_takes_each_reason_to_refuse(self):
        self.assertEqual(self.checks("if (a < 1 || g(a || b)) {\n  return Error(1);\n}\nreturn {};"),
                         [(2, "refusing", "a < 1"), (2, "refusing", "g(a || b)")])
        self.assertEqual(self.checks("if (int b = a; b && a) return x.fail(1);\nreturn {};"),
                         [(2, "refusing", "b && a")])

    def test_takes_each_condition_to_pass(self):
        self.assertEqual(self.checks("if (a > 1 && a < 5) return {};\nreturn refused(a);")[:2],
                         [(2, "accepting", "a > 1"), (2, "accepting", "a < 5")])
        self.assertEqual(self.checks("return a > 1 && g(a);", "bool"),
                         [(2, "accepting", "a > 1"), (2, "accepting", "g(a)")])

    def test_takes_calls_that_check(self):
        self.assertEqual(self.checks("RATLS_CHECK(g(a));\nreturn h(a);"),
                         [(2, "macro", "RATLS_CHECK(g(a))"), (3, "last", "h(a)")])

    def test_takes_no_other_conditions(self):
        self.assertEqual(self.checks("// if (a) return Error(1);\nif (a) b = 1;\nreturn {};"), [])

    def test_gives_each_check_a_switch(self):
        text = ("Result<void> f(int a) {\n  if (const auto* b = g(a)) return Error(1);\n"
                "  RATLS_CHECK(g(a));\n  if (a > 1 || a < 0) return Error(2);\n  return h(a);\n}\n")
        checks = refusals.find_checks("x.cpp", text)
        switched = refusals.with_switches(text, dict(enumerate(checks, 1)))
        self.assertEqual(switched.split("#line 1\n")[1],
                         "Result<void> f(int a) {\n"
                         "  if (const auto* b = g(a); ratls_mutants::kept(1) && b) return Error(1);\n"
                         "  RATLS_CHECK_UNLESS_REMOVED(2, g(a));\n"
                         "  if ((ratls_mutants::kept(3) && (a > 1)) || "
                         "(ratls_mutants::kept(4) && (a < 0))) return Error(2);\n"
                         "  return ratls_mutants::unless_removed(5, h(a));\n}\n")


class TrackedFiles(unittest.TestCase):
    def test_leaves_out_what_git_ignores(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            subprocess.run(["git", "init", "-q", folder], check=True)
            (root / ".gitignore").write_text("/build/\n")
            (root / "build").mkdir()
            (root / "build" / "made.cpp").write_text("")
            (root / "kept.cpp").write_text("")
            self.assertEqual([str(p) for p in tracked_files.tracked_files(root)],
                             [".gitignore", "kept.cpp"])

    def test_works_without_git(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "build").mkdir()
            (root / "build" / "made.cpp").write_text("")
            (root / "kept.cpp").write_text("")
            self.assertEqual([str(p) for p in tracked_files.tracked_files(root)], ["kept.cpp"])


if __name__ == "__main__":
    unittest.main()
