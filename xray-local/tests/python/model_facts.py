"""Prints X-Ray's operations as the public API model states them, one line each.

    NAME PATH ERROR,ERROR,… {Member*:type bounds, …}

`tests/it/model.txt` holds the same lines. The Rust tests compare the server's own table with that file, the Python tests
compare the file with the model that the installed botocore carries.
"""

import botocore.session


def describe(shape):
    kind = shape.type_name
    meta = shape.metadata
    bounds = "".join(f" {name}={meta[name]}" for name in ("min", "max", "pattern") if name in meta)
    if kind == "structure":
        members = (
            f"{name}{'*' if name in shape.required_members else ''}:{describe(member)}"
            for name, member in sorted(shape.members.items())
        )
        return "{" + ", ".join(members) + "}"
    if kind == "list":
        return f"[{describe(shape.member)}]{bounds}"
    if kind == "map":
        return f"<{describe(shape.key)}>{bounds}"
    if getattr(shape, "enum", None):
        return f"{kind} {'|'.join(shape.enum)}"
    return kind + bounds


def lines():
    model = botocore.session.get_session().get_service_model("xray")
    for name in sorted(model.operation_names):
        operation = model.operation_model(name)
        assert operation.http["method"] == "POST"
        errors = ",".join(sorted(error.name for error in operation.error_shapes))
        request = describe(operation.input_shape) if operation.input_shape else "{}"
        yield f"{name} {operation.http['requestUri']} {errors} {request}"


if __name__ == "__main__":
    print("\n".join(lines()))
