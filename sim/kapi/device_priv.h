/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between device.c (buses, life time) and dd.c (binding).
 */
#pragma once

#include "sim/kapi/device.h"
#include "sim/kapi/kapi_priv.h"
#include "sim/kapi/string.h"

void kapi_bus_notify(struct device *dev, unsigned long event);
/* A use keeps driver_unregister() waiting. False if it is not registered. */
bool kapi_driver_get(struct device_driver *drv);
void kapi_driver_put(struct device_driver *drv);
