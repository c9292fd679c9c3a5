"""patch_spec.py OPENAPI RESULT: Iceberg's REST OpenAPI for a run against one Tarn: names that are there (or not), the prefix, no operation that is
not offered, and two places mended in which the document says otherwise than Iceberg's own clients and server."""

import re
import sys

import yaml

NOT_OFFERED = re.compile(r"/(plan|tasks|sign|functions)(/|$)")
NAMES = {"namespace": ["s", "public", "s\x1fdeep", "nope"], "table": ["t", "u", "nope"], "view": ["v", "nope"]}


def mend_errors(operation):
    """Errors of views have the form of all errors; a key that was used for another request is answered with 422."""
    for status, answer in operation.get("responses", {}).items():
        schema = answer.get("content", {}).get("application/json", {}).get("schema", {}) if "$ref" not in answer else {}
        if str(status).startswith("4") and schema.get("$ref", "").endswith("/ErrorModel"):
            schema["$ref"] = "#/components/schemas/IcebergErrorResponse"


def kept(parameters):
    """Without the prefix, which is ours, and keys, of which each is good for one request."""
    return [one for one in parameters if not one.get("$ref", "").endswith(("/idempotency-key", "/prefix"))]


def main(source, target):
    with open(source, encoding="utf-8") as file:
        document = yaml.safe_load(file)
    document["paths"] = {path.replace("{prefix}", "lake"): item for path, item in document["paths"].items() if not NOT_OFFERED.search(path)}
    for item in document["paths"].values():
        for method, operation in item.items():
            if method == "parameters":
                item[method] = kept(operation)
                continue
            mend_errors(operation)
            operation["parameters"] = kept(operation.get("parameters", []))
    for name, values in NAMES.items():
        document["components"]["parameters"][name]["schema"] = {"type": "string", "enum": values}
    with open(target, "w", encoding="utf-8") as file:
        yaml.safe_dump(document, file, allow_unicode=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
