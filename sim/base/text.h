/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text from outside, on its way to a terminal.
 */
#pragma once

#include "sim/base/types.h"

/*
 * Copies text with all that could steer a terminal or turn the line around
 * (control characters, C1, bidirectional marks, line separators, broken UTF-8)
 * as `\xNN` per byte. Always ends with NUL; what does not fit is cut before a
 * whole character. Returns the length.
 */
size_t sim_text_plain(char *buf, size_t size, const char *text, size_t len);
