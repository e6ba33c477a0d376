// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table made of resources.def, flags.def, structs.def and calls.def.
 */
#include "core/uapi/uapi.h"
#include "sim/base/bits.h"

#include <string.h>

#define UAPI_NO_FD 0xffffffffffffffffULL
#define IOMMUFD_H "linux/iommufd.h"
#define VFIO_H "linux/vfio.h"
#define IOMMUFD_TEST_H "iommufd_test.h"

enum {
#define RESOURCE(name, ...) R_##name,
#include "core/uapi/resources.def"
#undef RESOURCE
};

const struct uapi_resource uapi_resources[] = {
#define RESOURCE(name, parent, size, def) {#name, parent, size, def},
#include "core/uapi/resources.def"
#undef RESOURCE
};
const u32 uapi_resources_n = ARRAY_SIZE(uapi_resources);

/* --- values with names --- */

#define FLAGSET(sym, header) static const struct uapi_value values_##sym[] = {
#define VALUE(name, value) {#name, value},
#define END_FLAGSET(sym) };
#include "core/uapi/flags.def"
#undef FLAGSET
#undef VALUE
#undef END_FLAGSET

#define VALUE(name, value)
#define END_FLAGSET(sym)
#define FLAGSET(sym, header)                                                   \
	static const struct uapi_flags flags_##sym = {                          \
		#sym, values_##sym, ARRAY_SIZE(values_##sym)};
#include "core/uapi/flags.def"
#undef FLAGSET

#undef VALUE
#undef END_FLAGSET

/* --- types, as the rows name them --- */

#define INT .kind = UAPI_INT
#define ENUM(set) .kind = UAPI_INT, .flags = &flags_##set
#define CONST(v) .kind = UAPI_CONST, .def = (v)
#define ENUM_IS(set, v) .kind = UAPI_CONST, .def = (v), .flags = &flags_##set
#define FLAGS(set) .kind = UAPI_FLAGS, .flags = &flags_##set
#define LEN_PARENT .kind = UAPI_LEN
#define LEN(field) .kind = UAPI_LEN, .of = #field
#define BYTES(field) .kind = UAPI_LEN, .of = #field, .in_bytes = true
#define RES(r) .kind = UAPI_RES, .resource = &uapi_resources[R_##r]
#define PTR(...) .kind = UAPI_PTR, .to = &(const struct uapi_type){__VA_ARGS__}
#define OPTIONAL_PTR(...) PTR(__VA_ARGS__), .optional = true
/* Any value or pointer to bytes. */
#define ANY_ARG OPTIONAL_PTR(T(0, IN, BUFFER))
#define VMA .kind = UAPI_VMA
#define STRING(text) .kind = UAPI_STRING, .def_data = (text)
#define BUFFER .kind = UAPI_BUFFER
#define ARRAY(count, ...)                                                      \
	.kind = UAPI_ARRAY, .n = (count), .to = &(const struct uapi_type){__VA_ARGS__}
#define GROUP(sym) .kind = UAPI_STRUCT, .layout = &layout_##sym
#define PAD .kind = UAPI_PAD
#define T(bytes, direction, ...) .size = (bytes), .dir = UAPI_##direction, __VA_ARGS__

/* --- layouts --- */

#define FIELD(...)
#define EXTRA(...)
#define TAIL(...)
#define OTHER(...)
#define END(sym)
#define STRUCT(sym, ...) static const struct uapi_struct layout_##sym;
#include "core/uapi/structs.def"
#undef STRUCT
#undef FIELD
#undef EXTRA
#undef TAIL
#undef OTHER
#undef END

#define STRUCT(sym, cname, header_, size_, was_) static const struct uapi_field fields_##sym[] = {
#define FIELD(n, m, at, bytes, direction, ...)                                 \
	{.name = #n, .member = #m, .offset = (at), .type = {T(bytes, direction, __VA_ARGS__)}},
#define EXTRA(n, m, at, bytes, direction, ...)                                 \
	{.name = #n, .member = #m, .offset = (at), .extra = true,              \
	 .type = {T(bytes, direction, __VA_ARGS__)}},
#define TAIL(n, m, at, direction, ...)                                         \
	{.name = #n, .member = #m, .offset = (at), .type = {T(0, direction, __VA_ARGS__)}},
#define OTHER(n, at, bytes, direction, ...)                                    \
	{.name = #n, .offset = (at), .type = {T(bytes, direction, __VA_ARGS__)}},
#define END(sym) };
#include "core/uapi/structs.def"
#undef STRUCT
#undef FIELD
#undef EXTRA
#undef TAIL
#undef OTHER
#undef END

#define FIELD(...)
#define EXTRA(...)
#define TAIL(...)
#define OTHER(...)
#define END(sym)
#define STRUCT(sym, cname, header_, size_, was_)                               \
	static const struct uapi_struct layout_##sym = {                        \
		.symbol = #sym, .name = #cname, .header = (header_),             \
		.field = fields_##sym, .n = ARRAY_SIZE(fields_##sym),            \
		.size = (size_), .was = (was_)};
#include "core/uapi/structs.def"
#undef STRUCT

const struct uapi_struct *const uapi_structs[] = {
#define STRUCT(sym, ...) &layout_##sym,
#include "core/uapi/structs.def"
#undef STRUCT
};
const u32 uapi_structs_n = ARRAY_SIZE(uapi_structs);

/* --- calls --- */

#define NR_IOCTL 16
#define GIVES(r) (R_##r < ARRAY_SIZE(uapi_resources) ? &uapi_resources[R_##r] : NULL)
#define R_NONE ARRAY_SIZE(uapi_resources)
#define ARG(n, bytes, direction, ...)                                          \
	{.name = #n, .type = {T(bytes, direction, __VA_ARGS__)}}
#define ARGS(...)                                                              \
	.arg = (const struct uapi_field[]){__VA_ARGS__},                         \
	.n_args = sizeof((const struct uapi_field[]){__VA_ARGS__}) / sizeof(struct uapi_field)
#define FD_CMD(r, number) ARG(fd, 8, IN, RES(r)), ARG(cmd, 8, IN, CONST(number))

#define CALL(n, v, number, gives, text, ...)                                   \
	{.name = (n), .verb = (v), .doc = (text), .nr = (number), .ret = GIVES(gives),          \
	 ARGS(__VA_ARGS__)},
#define IOCTL_ROW(n, v, macro, number, gives, text)                            \
	.name = "ioctl$" n, .verb = (v), .doc = (text), .nr = NR_IOCTL, .cmd = (number),        \
	.cmd_name = #macro, .ret = GIVES(gives)
#define IOCTL(n, v, macro, number, min, r, direction, layout, text)            \
	{IOCTL_ROW(n, v, macro, number, NONE, text), .min_size = (min),        \
	 ARGS(FD_CMD(r, number),                                                \
	      ARG(arg, 8, IN, PTR(T(sizeof_##layout, direction, GROUP(layout)))))},
#define IOCTL_GIVES(n, v, macro, number, r, gives, text, ...)                  \
	{IOCTL_ROW(n, v, macro, number, gives, text),                           \
	 ARGS(FD_CMD(r, number), ARG(arg, 8, IN, __VA_ARGS__))},
#define IOCTL_INT(n, v, macro, number, r, text, ...)                           \
	IOCTL_GIVES(n, v, macro, number, r, NONE, text, __VA_ARGS__)
#define IOCTL_NONE(n, v, macro, number, r, text)                               \
	{IOCTL_ROW(n, v, macro, number, NONE, text), ARGS(FD_CMD(r, number))},

enum {
#define STRUCT(sym, cname, header, size, was) sizeof_##sym = (size),
#include "core/uapi/structs.def"
#undef STRUCT
};

const struct uapi_call uapi_calls[] = {
#include "core/uapi/calls.def"
};
const u32 uapi_calls_n = ARRAY_SIZE(uapi_calls);
