/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's messages. They are checked as formats and evaluated, but go
 * nowhere: what happened is told by facts.
 */
#pragma once

void kapi_printk(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define pr_crit(...) kapi_printk(__VA_ARGS__)
#define pr_err(...) kapi_printk(__VA_ARGS__)
#define pr_warn(...) kapi_printk(__VA_ARGS__)
#define pr_info(...) kapi_printk(__VA_ARGS__)
#define pr_debug(...) kapi_printk(__VA_ARGS__)
#define pr_warn_once(...) kapi_printk(__VA_ARGS__)
#define pr_err_ratelimited(...) kapi_printk(__VA_ARGS__)

#define dev_err(dev, ...) ((void)(dev), kapi_printk(__VA_ARGS__))
#define dev_warn(dev, ...) ((void)(dev), kapi_printk(__VA_ARGS__))
#define dev_info(dev, ...) ((void)(dev), kapi_printk(__VA_ARGS__))
#define dev_dbg(dev, ...) ((void)(dev), kapi_printk(__VA_ARGS__))
#define dev_err_ratelimited(dev, ...) dev_err(dev, __VA_ARGS__)
