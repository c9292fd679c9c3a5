"""Goal: a model prints what Jinja prints, so that dbt's projects mean the same here. Method: random templates, rendered by Jinja
itself and, as views, by Tarn. The seed is printed. TARN_TEMPLATES says how many."""

import os
import random

import jinja2

TEMPLATES = int(os.environ.get("TARN_TEMPLATES", "150"))
SEED = int(os.environ.get("TARN_SEED", random.randrange(1 << 30)))
NAMES = ("{% set a = 3 %}{% set b = -7 %}{% set f = 2.5 %}{% set s = 'Hello, World' %}{% set l = [3, 1, 2, 3] %}"
         "{% set d = {'x': 1, 'y': [1, 2], 'z': 'q'} %}{% set n = none %}{% set t = true %}")
METHODS = ["upper()", "lower()", "strip()", "title()", "split()", "split(',')", "replace('o', '0')", "startswith('H')", "endswith('d')",
           "find('o')", "count('l')"]


class Templates:
    """Makes expressions of numbers, texts, truths and lists, nested to a depth, and blocks around them."""

    def __init__(self, dice):
        self.dice = dice

    def pick(self, *makers):
        return self.dice.choice(makers)()

    def number(self, depth):
        if depth <= 0:
            return self.dice.choice(["a", "b", "f", "1", "2", "10", "l[0]", "d.x", "d['x']", "l|length", "s|length"])
        inner, outer = self.number(depth - 1), self.list(depth - 1)
        operator = self.dice.choice(["+", "-", "*", "//", "%", "/", "**"])
        return self.pick(
            lambda: f"({inner} {operator} {self.dice.choice(['2', '3', '5', 'a'])})",
            lambda: f"-{inner}",
            lambda: f"({inner})|{self.dice.choice(['abs', 'int', 'float', 'round', 'round(1)', 'round(0)', 'round(2)'])}",
            lambda: f"({inner} if {self.truth(depth - 1)} else {self.number(depth - 1)})",
            lambda: f"{outer}|{self.dice.choice(['sum', 'max', 'min', 'length'])}")

    def text(self, depth):
        if depth <= 0:
            return self.dice.choice(["s", "'abc'", "d.z", "''", "'A b_c'"])
        inner = self.text(depth - 1)
        return self.pick(
            lambda: f"({inner} ~ {self.number(depth - 1)})",
            lambda: f"({inner} + {self.text(depth - 1)})",
            lambda: f"({inner})|{self.dice.choice(['upper', 'lower', 'title', 'capitalize', 'trim', 'reverse', 'list', 'first'])}|string",
            lambda: f"({inner})|replace('l', 'L')|indent(2)|default('zz')",
            lambda: f"({inner}).{self.dice.choice(METHODS)}|string",
            lambda: f"{self.list(depth - 1)}|join('-')",
            lambda: f"({inner})[{self.dice.choice(['0:2', '1:', '::-1', ':3', '-2:', '5:1:-2'])}]",
            lambda: f"({inner} * 2)",
            lambda: f"'%s-%d'|format({inner}, 4)",
            lambda: f"({self.truth(depth - 1)})|string")

    def truth(self, depth):
        if depth <= 0:
            return self.dice.choice(["t", "false", "n is none", "a > 2", "s == 'x'", "'e' in s", "3 in l", "'x' in d", "what is defined",
                                     "a is odd", "b is even", "s is string", "l is iterable", "d is mapping", "f is number"])
        inner = self.truth(depth - 1)
        return self.pick(
            lambda: f"({inner} {self.dice.choice(['and', 'or'])} {self.truth(depth - 1)})",
            lambda: f"(not {inner})",
            lambda: f"({self.number(depth - 1)} {self.dice.choice(['<', '>', '==', '!=', '<=', '>='])} {self.number(depth - 1)})",
            lambda: f"({self.number(depth - 1)} {self.dice.choice(['in', 'not in'])} {self.list(depth - 1)})")

    def list(self, depth):
        if depth <= 0:
            return self.dice.choice(["l", "[1, 2, 3]", "range(4)|list", "d.y", "[4]", "(1, 5)"])
        inner = self.list(depth - 1)
        filters = self.dice.choice(["sort", "reverse|list", "unique|list", "map('string')|map('int')|list", "select('odd')|list",
                                    "reject('gt', 2)|list"])
        return self.pick(
            lambda: f"({inner}|list + {self.list(depth - 1)}|list + [7])",
            lambda: f"({inner}|{filters} + [8])",
            lambda: f"({inner}|list)[:3]",
            lambda: f"[{self.number(depth - 1)}, 9]")

    def loop(self):
        body = self.dice.choice(["{{ loop.index }}:{{ x }}", "{{ x }}{% if not loop.last %}, {% endif %}",
                                 "{{ loop.index0 }}/{{ loop.length }} {{ loop.first }}", "{{ loop.revindex }}{% set a = x %}{{ a }}"])
        return f"{{% for x in {self.list(1)} {self.dice.choice(['', 'if x > 1 '])}%}}{body}{{% else %}}none{{% endfor %}}"

    def branches(self):
        return (f"{{% if {self.truth(2)} %}}\n  A{{{{ {self.number(1)} }}}}\n{{% elif {self.truth(1)} -%}}\n B \n{{%- else %}} C "
                "{% endif -%}  \n x")

    def macro(self):
        return ("{% macro m(p, q=2) %}[{{ p }}|{{ q }}]{% endmacro %}"
                f"{{{{ m({self.number(1)}) }}}}{{{{ m({self.text(1)}, q={self.number(0)}) }}}}")

    def spaces(self):
        return (f"{{%- set ns = namespace(c=0) -%}}{{% for x in {self.list(1)} %}}{{% set ns.c = ns.c + x %}}{{% endfor %}}{{{{ ns.c }}}} "
                "{# comment #} {% raw %}{{ no }}{% endraw %}")

    def captured(self):
        return (f"{{% set w %}} z{{{{ {self.number(1)} }}}} {{% endset %}}<{{{{ w|trim }}}}>{{% for k, v in d.items() %}}{{{{ k }}}}={{{{ v }}}};"
                f"{{% endfor %}}{{% filter upper|trim %}} ab{{{{ s }}}}{{% endfilter %}}{{{{ {self.list(1)}|tojson }}}}{{{{ d|dictsort }}}}"
                "{{ d.get('q', 'none') }}{{ d.keys()|list }}")

    def template(self):
        expression = self.dice.choice([self.number, self.text, self.truth, self.list])
        block = self.dice.choice([self.loop, self.branches, self.macro, self.spaces, self.captured])
        return f"{{{{ {expression(self.dice.randrange(1, 4))} }}}}" if self.dice.random() < 0.5 else block()


def rendered(template):
    """What Jinja prints, or None where it refuses (what is undefined is a mistake in Tarn), or prints what is of no use."""
    try:
        text = jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(NAMES + template).render()
    except (jinja2.TemplateError, ArithmeticError, TypeError, ValueError, LookupError):
        return None
    return None if len(text) > 300 or "<generator" in text or "e+" in text else text


def test_random_templates(tarn, capsys):
    with capsys.disabled():
        print(f"\n{TEMPLATES} random templates, seed {SEED}", flush=True)
    templates = Templates(random.Random(SEED))
    cases = {}
    while len(cases) < TEMPLATES:
        template = templates.template()
        expected = rendered(template)
        if expected is not None:
            cases[f"m{len(cases)}"] = (template, expected)
    for name, (template, _) in cases.items():
        tarn.write(f"models/{name}.sql", f"{{{{ config(materialized='view') }}}}{NAMES}select $zz${template}$zz$ as x")
    tarn.run("run")
    found = {row["name"]: row["x"] for row in tarn.rows(" union all ".join(f"select '{name}' as name, x from {name}" for name in cases))}
    for name, (template, expected) in cases.items():
        assert found[name] == expected, template
