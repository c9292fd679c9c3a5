// Goal: templates print what dbt's Jinja prints, and every mistake stands at its line and column.
// Method: small templates, output and messages compared whole.
#include <gtest/gtest.h>

#include "model/jinja/interpreter.h"

namespace tarn::model::jinja {
namespace {

Globals globals() {
  return {{"name", Value("tarn")},
          {"numbers", Value::list({Value(1), Value(2), Value(3)})},
          {"city", Value::dict({{Value("name"), Value("Delft")}, {Value("people"), Value(106000)}})},
          {"fails", Value::function("fails", [](const Arguments&) -> Result<Value> {
             return Error{Code::kInvalid, "this never works"};
           })}};
}

std::string run(const std::string& text, const std::string& macros_text = "") {
  Diagnostic mistake;
  Macros macros;
  std::shared_ptr<const Template> library;
  if (!macros_text.empty()) {
    auto parsed = parse_template("macros/m.sql", macros_text, mistake);
    if (!parsed) {
      return "! " + to_string(mistake);
    }
    library = *parsed;
    if (!collect_macros(library, macros, mistake)) {
      return "! " + to_string(mistake);
    }
  }
  auto parsed = parse_template("models/a.sql", text, mistake);
  if (!parsed) {
    return "! " + to_string(mistake);
  }
  Globals all = globals();
  Interpreter interpreter(all, macros);
  auto out = interpreter.render(*parsed);
  if (!out) {
    EXPECT_EQ(out.error().message, to_string(interpreter.mistake()));
    return "! " + out.error().message;
  }
  // The map must cover the output without gaps.
  size_t at = 0;
  for (const Stretch& stretch : out->map) {
    EXPECT_EQ(stretch.out, at);
    at += stretch.length;
  }
  EXPECT_EQ(at, out->text.size());
  return out->text;
}

struct Case {
  std::string text;
  std::string wanted;
};

void check(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    EXPECT_EQ(run(one.text), one.wanted) << one.text;
  }
}

TEST(JinjaTest, Literals) {
  check(
      {{"{{ 1 }} {{ 2.5 }} {{ 'a' }} {{ \"b\" }} {{ true }} {{ None }}", "1 2.5 a b True None"},
       {"{{ [1, 'a', none] }} {{ {'k': 1.0} }} {{ (1, 2) }} {{ () }}", "[1, 'a', None] {'k': 1.0} (1, 2) ()"},
       {"{{ 'it''s' }} {{ 'it\\'s' }} {{ ['it\\'s'] }}", "its it's [\"it's\"]"},
       {"{{ 1_000 }} {{ 1e3 }}", "1000 1000.0"},
       {"plain { text } % #", "plain { text } % #"}});
}

TEST(JinjaTest, Arithmetic) {
  check({{"{{ 1 + 2 * 3 }} {{ (1 + 2) * 3 }} {{ 7 // 2 }} {{ 7 / 2 }} {{ -7 // 2 }} {{ -7 % 3 }}",
          "7 9 3 3.5 -4 2"},
         {"{{ 2 ** 10 }} {{ -2 }} {{ 'ab' * 2 }} {{ 'a' + 'b' }} {{ [1] + [2] }}", "1024 -2 abab ab [1, 2]"},
         {"{{ 'a' ~ 1 ~ none }}", "a1None"},
         {"{{ 1 + 2 ~ 3 }}", "! models/a.sql:1:6: '+' cannot work on a number and a text"},
         {"{{ '%s has %d' % ('x', 3) }}", "x has 3"},
         {"{{ 1 / 0 }}", "! models/a.sql:1:6: division by zero"},
         {"{{ 9223372036854775807 + 1 }}", "! models/a.sql:1:24: this number is too large"},
         {"{{ 99999999999999999999 }}", "! models/a.sql:1:4: this number is too large"}});
}

TEST(JinjaTest, ComparisonAndLogic) {
  check({{"{{ 1 < 2 }} {{ 'a' >= 'b' }} {{ 1 == 1.0 }} {{ 1 != 'a' }} {{ [1] == [1] }}",
          "True False True True True"},
         {"{{ 2 in numbers }} {{ 'x' not in 'abc' }} {{ 'name' in city }}", "True True True"},
         {"{{ not true or true }} {{ false and x }} {{ '' or 'b' }}", "True False b"},
         {"{{ 'yes' if 1 else 'no' }} [{{ 'yes' if 0 }}]", "yes []"},
         {"{{ 1 < 'a' }}", "! models/a.sql:1:6: '<' cannot work on a number and a text"}});
}

TEST(JinjaTest, Access) {
  check(
      {{"{{ city.name }} {{ city['people'] }} {{ numbers[0] }} {{ numbers[-1] }} {{ name[0] }}",
        "Delft 106000 1 3 t"},
       {"{{ numbers[1:] }} {{ numbers[:-1] }} {{ name[1:3] }} {{ numbers[::2] }}", "[2, 3] [1, 2] ar [1, 3]"},
       {"{{ city.nam }}", "! models/a.sql:1:9: a dict has no member 'nam'"},
       {"{{ numbers[9] }}", "! models/a.sql:1:11: index 9 is outside of a list of 3 members"},
       {"{{ nam }}", "! models/a.sql:1:4: nothing is called 'nam' here: did you mean 'name'?"},
       {"{{ nothing.at.all }}", "! models/a.sql:1:12: nothing is called 'nothing' here"}});
}

TEST(JinjaTest, SlicesAsInPython) {
  check({{"{{ 'abcd'[::-1] }} {{ 'abcd'[1:3] }} {{ 'abcd'[-2:] }} {{ 'abcd'[3:0:-2] }} {{ 'abcd'[9:] }}",
          "dcba bc cd db "},
         {"{{ numbers[::2] }} {{ numbers[::-2] }} {{ (1, 2, 3)[:1] }} {{ numbers[none:1] }}",
          "[1, 3] [3, 1] (1,) [1]"},
         {"{{ 'abcd'[::0] }}", "! models/a.sql:1:10: a slice needs a step other than 0"}});
}

TEST(JinjaTest, Tuples) {
  check({{"{{ (1, 'a') }} {{ (1,) }} {{ () }} {{ (1, 2) + (3, 4) }} {{ (1, 2) == [1, 2] }}",
          "(1, 'a') (1,) () (1, 2, 3, 4) False"},
         {"{% set pair = 1, 2 %}{{ pair }} {{ 2 in pair }} {{ pair | list }} {{ pair | tojson }}",
          "(1, 2) True [1, 2] [1, 2]"},
         {"{% do (1, 2).append(3) %}", "! models/a.sql:1:14: a list has no member 'append'"}});
}

TEST(JinjaTest, Methods) {
  check(
      {{"{{ 'a,b'.split(',') }} {{ ' x '.strip() }} {{ 'a'.upper() }} {{ ','.join(['a', 'b']) }}",
        "['a', 'b'] x A a,b"},
       {"{{ 'ab'.startswith('a') }} {{ 'ab'.replace('a', 'c') }} {{ '{} {x}'.format(1, x=2) }}",
        "True cb 1 2"},
       {"{% set l = [] %}{% do l.append(1) %}{% do l.extend([2, 3]) %}{{ l }} {{ l.pop() }} {{ l }}",
        "[1, 2, 3] 3 [1, 2]"},
       {"{% set d = {'a': 1} %}{% do d.update({'b': 2}) %}{{ d.items() }} {{ d.get('z', 0) }} {{ d.keys() }}",
        "[('a', 1), ('b', 2)] 0 ['a', 'b']"},
       {"{% set l = [] %}{% do l.append(l) %}", "! models/a.sql:1:25: a list cannot hold itself"},
       {"{% set l = [] %}{% set m = [l] %}{% do l.append(m) %}",
        "! models/a.sql:1:42: a list cannot hold itself"}});
}

TEST(JinjaTest, Filters) {
  check(
      {{"{{ 'a' | upper }} {{ 'A' | lower }} {{ ' a ' | trim }} {{ numbers | join(', ') }}", "A a a 1, 2, 3"},
       {"{{ x | default('d') }} {{ '' | default('d', true) }} {{ numbers | length }} {{ city | count }}",
        "d d 3 2"},
       {"{{ 'a-b' | replace('-', '_') }} {{ 'ab' | list }} {{ '12' | int + 1 }} {{ '1.5' | float }}",
        "a_b ['a', 'b'] 13 1.5"},
       {"{{ numbers | first }} {{ numbers | last }} {{ [3, 1, 2] | sort }} {{ [1, 2] | reverse }}",
        "1 3 [1, 2, 3] [2, 1]"},
       {"{{ ['a', 'b'] | map('upper') | join('+') }} {{ [city] | map(attribute='name') | list }}",
        "A+B ['Delft']"},
       {"{{ [1, 1, 2] | unique }} {{ numbers | sum }} {{ numbers | max }} {{ -3 | abs }} {{ 2.567 | round(1) "
        "}}",
        "[1, 2] 6 3 3 2.6"},
       {"{{ [1, none, 2] | reject('none') | list }} {{ [0, 1] | select | list }}", "[1, 2] [1]"},
       {"{{ [city] | selectattr('people', 'gt', 5) | map(attribute='name') | first }}", "Delft"},
       {"{{ city | tojson }} {{ 'a\nb' | indent(2) }}", "{\"name\": \"Delft\", \"people\": 106000} a\n  b"},
       {"{{ 2 | round }} {{ 2.5 | round }} {{ 3.5 | round }} {{ 2.675 | round(2) }} {{ 2.1 | round(0, "
        "'ceil') }}",
        "2 2.0 4.0 2.67 3.0"},
       {"{{ \"it's a-b c_d\" | title }} {{ \"it's a-b c_d\".title() }}", "It's A-B C_d It'S A-B C_D"},
       {"{{ city | dictsort }}", "[('name', 'Delft'), ('people', 106000)]"},
       {"{% filter upper | trim %} a{{ 'b' }} {% endfilter %}c", "ABc"},
       {"{% filter uper %}a{% endfilter %}",
        "! models/a.sql:1:11: filter 'uper' is not known: did you mean 'upper'?"},
       {"{% filter upper %}a", "! models/a.sql:1:1: this filter is never closed; write {% endfilter %}"},
       {"{{ 'x' | uper }}", "! models/a.sql:1:10: filter 'uper' is not known: did you mean 'upper'?"},
       {"{{ y | upper }}", "! models/a.sql:1:8: nothing is called 'y' here"}});
}

TEST(JinjaTest, Tests) {
  check({{"{{ x is defined }} {{ name is defined }} {{ x is not defined }} {{ none is none }}",
          "False True True True"},
         {"{{ 4 is divisibleby 2 }} {{ 3 is odd }} {{ 'a' is string }} {{ numbers is sequence }} {{ city is "
          "mapping }}",
          "True True True True True"},
         {"{{ 2 is in [1, 2] }} {{ not x is defined }}", "True True"},
         {"{{ 1 is evn }}", "! models/a.sql:1:9: test 'evn' is not known: did you mean 'even'?"}});
}

TEST(JinjaTest, IfForSet) {
  check({{"{% if 1 > 2 %}a{% elif 2 > 1 %}b{% else %}c{% endif %}", "b"},
         {"{% for n in numbers %}{{ n }}{% if not loop.last %}, {% endif %}{% endfor %}", "1, 2, 3"},
         {"{% for n in numbers %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.length }} {% "
          "endfor %}",
          "10True3 21False3 32False3 "},
         {"{% for n in numbers if n > 1 %}{{ n }}{% endfor %}", "23"},
         {"{% for n in [] %}x{% else %}none{% endfor %}", "none"},
         {"{% for k, v in city.items() %}{{ k }}={{ v }};{% endfor %}", "name=Delft;people=106000;"},
         {"{% set a = 1 %}{% set b, c = 2, 3 %}{{ a }}{{ b }}{{ c }}", "123"},
         {"{% set a %}x{{ 1 }}{% endset %}[{{ a }}]", "[x1]"},
         {"{% set a = 1 %}{% for i in numbers %}{% set a = i %}{% endfor %}{{ a }}", "1"},
         {"{% set s = namespace(n=0) %}{% for i in numbers %}{% set s.n = s.n + i %}{% endfor %}{{ s.n }}",
          "6"},
         {"{% if true %}{% set a = 5 %}{% endif %}{{ a }}", "5"},
         {"{% for a, b in [[1, 2, 3]] %}{% endfor %}", "! models/a.sql:1:1: 2 names cannot take 3 values"}});
}

TEST(JinjaTest, WhitespaceControlCommentsRaw) {
  check({{"a  {%- if true -%}  b  {%- endif -%}  c", "abc"},
         {"a {{- 1 -}} b", "a1b"},
         {"a {#- note -#} b{# more #}c", "abc"},
         {"{% raw %}{{ x }} {% if %}{% endraw %}!", "{{ x }} {% if %}!"},
         {"a {%- raw -%} {{ x }} {%- endraw -%} b", "a{{ x }}b"}});
}

TEST(JinjaTest, Macros) {
  std::string macros =
      "{% macro cents(column, digits=2) %}round({{ column }} / 100, {{ digits }}){% endmacro %}\n"
      "{% macro three() %}{{ return([1, 2, 3]) }}{% endmacro %}\n"
      "{% macro twice(x) -%} {{ cents(x) }} {{ cents(x, digits=0) }} {%- endmacro %}\n"
      "{% macro broken(x) %}\n  {{ x.y.z }}\n{% endmacro %}\n"
      "{% macro wrap() %}<{{ caller() }}>{% endmacro %}\n"
      "{% macro any() %}{{ varargs | length }}{{ kwargs.k }}{% endmacro %}\n"
      "{% macro forever() %}{{ forever() }}{% endmacro %}\n";
  EXPECT_EQ(run("{{ cents('a') }} {{ cents(column='b', digits=1) }}", macros),
            "round(a / 100, 2) round(b / 100, 1)");
  EXPECT_EQ(run("{% for i in three() %}{{ i }}{% endfor %}", macros), "123");
  EXPECT_EQ(run("{{ twice('a') }}", macros), "round(a / 100, 2) round(a / 100, 0)");
  EXPECT_EQ(run("{% call wrap() %}in{{ 1 }}{% endcall %}", macros), "<in1>");
  EXPECT_EQ(run("{{ any(1, 2, k='v') }}", macros), "2v");
  EXPECT_EQ(run("{{ cents('a', digit=1) }}", macros),
            "! models/a.sql:1:4: cents() has no argument 'digit': did you mean 'digits'?");
  EXPECT_EQ(run("{{ cents(1, 2, 3) }}", macros), "! models/a.sql:1:4: cents() takes 2 arguments, not 3");
  EXPECT_EQ(run("{{ cents() }}", macros),
            "! macros/m.sql:1:45: cents() was not given 'column' (called at models/a.sql:1:4)");
  EXPECT_EQ(run("\n {{ broken({}) }}", macros),
            "! macros/m.sql:5:10: a dict has no member 'y' (called at models/a.sql:2:5)");
  EXPECT_NE(run("{{ forever() }}", macros).find("call each other more than 50 deep"), std::string::npos);
  EXPECT_EQ(run("{{ adapter.dispatch('day')('x') }} {{ adapter.dispatch('hour')() }}",
                "{% macro default__day(x) %}default{% endmacro %}{% macro duckdb__day(x) %}duckdb {{ x }}{% "
                "endmacro %}"
                "{% macro default__hour() %}hour{% endmacro %}"),
            "duckdb x hour");
  EXPECT_EQ(run("{{ adapter.dispatch('nothing')() }}"),
            "! models/a.sql:1:12: there is no macro duckdb__nothing and no default__nothing");
  EXPECT_EQ(run("{% macro here() %}{{ a }}{% endmacro %}{% set a = 7 %}{{ here() }}"), "7");
  EXPECT_EQ(run("x", macros + "{% macro cents() %}{% endmacro %}"),
            "! macros/m.sql:10:1: macro 'cents' exists already at macros/m.sql:1:1; rename one of them");
}

TEST(JinjaTest, SyntaxMistakesHavePlaces) {
  check({{"a\n {{ 1 + }}", "! models/a.sql:2:9: expected a value, found the end of the tag"},
         {"{{ f(1 }}", "! models/a.sql:1:8: '}' stands where ')' is missing"},
         {"{{ 'abc }}", "! models/a.sql:1:4: this text is never closed; write ' at its end"},
         {"{{ a", "! models/a.sql:1:1: this tag is never closed; write '}}'"},
         {"\n{# a", "! models/a.sql:2:1: this comment is never closed; write '#}'"},
         {"{% if a %}", "! models/a.sql:1:1: this if is never closed; write {% endif %}"},
         {"{% if a %}{% endfor %}",
          "! models/a.sql:1:11: 'endfor' stands here, but the open block is 'if'; write {% endif %}"},
         {"x{% endif %}", "! models/a.sql:1:2: 'endif' stands here without its beginning"},
         {"{% fro x in y %}", "! models/a.sql:1:4: block 'fro' is not known: did you mean 'for'?"},
         {"{% for x of y %}", "! models/a.sql:1:10: expected 'in', found 'of'"},
         {"{{ a b }}", "! models/a.sql:1:6: expected the end of the tag, found 'b'"},
         {"{{ 3x }}", "! models/a.sql:1:4: a name cannot begin with a digit"},
         {"{{ a ? b }}", "! models/a.sql:1:6: '?' cannot stand here"},
         {"{% raw %} a", "! models/a.sql:1:1: this raw block is never closed; write {% endraw %}"},
         {"{% set 1 = 2 %}", "! models/a.sql:1:8: expected a name, found '1'"}});
}

TEST(JinjaTest, HostErrorsHavePlaces) {
  EXPECT_EQ(run("\n\n  {{ fails() }}"), "! models/a.sql:3:6: this never works");
  EXPECT_EQ(run("{{ name() }}"), "! models/a.sql:1:4: a text cannot be called");
  EXPECT_EQ(run("{{ run_query('select 1') }}").substr(0, 50),
            "! models/a.sql:1:4: 'run_query' is not available: ");
}

TEST(JinjaTest, EverythingEnds) {
  EXPECT_NE(
      run("{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}").find("steps"),
      std::string::npos);
  EXPECT_NE(run("{{ range(1000000) }}").find("longer than"), std::string::npos);
  EXPECT_NE(run("{{ 'x' * 999999999 }}").find("too long"), std::string::npos);
  EXPECT_NE(run("{% set s = namespace(a=[1]) %}{% for i in range(99) %}{% set s.a = s.a + s.a %}{% endfor %}")
                .find("256 MB"),
            std::string::npos);
  EXPECT_NE(run("{% set s = namespace(a=[1]) %}{% for i in range(99) %}{% set s.a = [s.a, s.a] %}{% endfor "
                "%}{{ s.a }}")
                .find("256 MB"),
            std::string::npos);
  EXPECT_NE(run("{{ " + std::string(5000, '(') + "1" + std::string(5000, ')') + " }}").find("nested more"),
            std::string::npos);
  EXPECT_NE(run("{{ " + std::string(5000, '-') + "1 }}").find("nested more"), std::string::npos);
  std::string sum = "{{ 1";
  for (int i = 0; i < 100000; ++i) {
    sum += "+1";
  }
  EXPECT_NE(run(sum + " }}").find("chain of more"), std::string::npos);
  std::string blocks;
  for (int i = 0; i < 1000; ++i) {
    blocks += "{% if 1 %}";
  }
  EXPECT_NE(run(blocks).find("nested more"), std::string::npos);
}

TEST(JinjaTest, MacroReturnedFromWhereItWasDefined) {
  // The inner macro's surroundings are gone when it is called: their names are unknown, memory is not
  // touched.
  EXPECT_NE(
      run("{% set f = o() %}{{ f() }}",
          "{% macro o() %}{% set v = 1 %}{% macro i() %}{{ v }}{% endmacro %}{{ return(i) }}{% endmacro %}")
          .find("nothing is called 'v'"),
      std::string::npos);
}

TEST(RenderedTest, MapsBackToTheTemplate) {
  Diagnostic mistake;
  std::string text = "select\n  {{ name }},\n  wrong\n{% if true %}from t{% endif %}\n";
  auto parsed = parse_template("a.sql", text, mistake);
  ASSERT_TRUE(parsed);
  Globals all = globals();
  Macros none;
  Interpreter interpreter(all, none);
  auto out = interpreter.render(*parsed);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->text, "select\n  tarn,\n  wrong\nfrom t\n");
  EXPECT_EQ(out->source_of(out->text.find("wrong")), text.find("wrong"));
  EXPECT_EQ(out->source_of(out->text.find("from")), text.find("from"));
  EXPECT_EQ(out->source_of(out->text.find("tarn") + 2), text.find("{{ name"));
  out->insert(0, "with x as (select 1)\n");
  EXPECT_EQ(out->source_of(out->text.find("wrong")), text.find("wrong"));
  out->insert(out->text.find("ong"), "<>");
  EXPECT_EQ(out->source_of(out->text.find("ong")), text.find("ong"));
  out->cut_end(out->text.find("from"));
  EXPECT_EQ(out->source_of(out->text.find("ong")), text.find("ong"));
}

}  // namespace
}  // namespace tarn::model::jinja
