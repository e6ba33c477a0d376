/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Read before kernel/locking/lockdep.c: its entry points get names of their
 * own, so that the runtime's, which tell the floor, too, stand before them.
 */
#pragma once

#pragma redefine_extname lockdep_init_map_type tree_lockdep_init_map_type
#pragma redefine_extname lock_acquire tree_lock_acquire
#pragma redefine_extname lock_release tree_lock_release
#pragma redefine_extname lock_sync tree_lock_sync
#pragma redefine_extname lock_is_held_type tree_lock_is_held_type
#pragma redefine_extname lock_downgrade tree_lock_downgrade
#pragma redefine_extname lock_set_class tree_lock_set_class
#pragma redefine_extname lockdep_rcu_suspicious tree_lockdep_rcu_suspicious
#pragma redefine_extname debug_check_no_locks_freed tree_debug_check_no_locks_freed
