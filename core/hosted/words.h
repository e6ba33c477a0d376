/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the floor's task keeps what the object knows of it, for both sides and
 * for every file of a tree: bytes into the task.
 */
#pragma once

#define FLOOR_TASK_WORD 80    /* the object's task; zero: the task is new to it */
#define FLOOR_THREAD_WORD 96  /* its thread_info; zero likewise */
