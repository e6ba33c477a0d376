// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/device.h"

#include "sim/kapi/atomic.h"
#include "sim/kapi/kapi.h"
#include "sim/kapi/slab.h"
#include "tests/kit/program.h"

#define LOG_MAX 256

struct board {
	struct bus_type bus;
	struct device_driver drv, other;
	struct notifier_block nb;
	struct device *dev[2];
};

static struct {
	struct board *b;
	char log[LOG_MAX];
	int probe_error, configure_error, n_probes, n_bound, n_configured, n_released;
	bool supplier_there;
} t;

static void say(const char *what)
{
	if (strlen(t.log) + strlen(what) + 2 > LOG_MAX)
		return;
	strcat(t.log, what);
	strcat(t.log, " ");
}

static int probe(struct device *dev)
{
	lockdep_assert_held(&dev->mutex);
	say("probe");
	step();
	t.n_probes++;
	dev_set_drvdata(dev, t.b);
	return t.probe_error;
}

static void remove_dev(struct device *dev)
{
	lockdep_assert_held(&dev->mutex);
	step();
	say("remove");
}

static int dma_configure(struct device *dev)
{
	cr_assert(dev->driver);
	say("configure");
	t.n_configured++;
	return t.configure_error;
}

static void dma_cleanup(struct device *dev)
{
	cr_assert(dev->driver);
	t.n_configured--;
	say("cleanup");
}

static const char *const event_names[] = {
	"ADD", "DEL", "REMOVED", "BIND", "BOUND", "UNBIND", "UNBOUND", "NOT_BOUND",
};

static int notified(struct notifier_block *nb, unsigned long action, void *data)
{
	struct device *dev = data;

	(void)nb;
	if (action == BUS_NOTIFY_BOUND_DRIVER)
		t.n_bound++;
	if (action == BUS_NOTIFY_UNBOUND_DRIVER) {
		t.n_bound--;
		cr_assert_null(dev->driver);
		cr_assert_null(dev_get_drvdata(dev));
	}
	say(event_names[action]);
	return NOTIFY_OK;
}

static void release(struct device *dev)
{
	t.n_released++;
	kfree(dev);
}

static struct device *new_device(u32 index)
{
	struct device *dev = kzalloc(sizeof(*dev), GFP_KERNEL | __GFP_NOFAIL);

	dev->bus = &t.b->bus;
	dev->index = index;
	dev->init_name = index ? "one" : "zero";
	dev->release = release;
	return dev;
}

static void boot(void)
{
	struct board *b;

	b = t.b = kzalloc(sizeof(*b), GFP_KERNEL);
	b->bus.name = "test";
	b->bus.dma_configure = dma_configure;
	b->bus.dma_cleanup = dma_cleanup;
	cr_assert_eq(bus_register(&b->bus), 0);
	b->nb.notifier_call = notified;
	cr_assert_eq(bus_register_notifier(&b->bus, &b->nb), 0);
	b->drv = (struct device_driver){
		.name = "drv", .bus = &b->bus, .probe = probe, .remove = remove_dev};
	b->other = b->drv;
	b->other.name = "other";
	b->other.suppress_autobind = true;
}

static void begin(void)
{
	t.log[0] = '\0';
	t.n_probes = 0;
	t.n_bound = 0;
	t.n_configured = 0;
	t.n_released = 0;
	t.supplier_there = false;
}

static void load_fn(void (*fn)(void *))
{
	load(.boot = boot, .begin = begin, .task = {fn});
}

static void whole_life(void *arg)
{
	struct device *dev = new_device(0);

	(void)arg;
	cr_assert_eq(driver_register(&t.b->drv), 0);
	cr_assert_eq(device_register(dev), 0);
	cr_assert(device_is_bound(dev));
	device_unregister(dev);
	driver_unregister(&t.b->drv);
}

Test(device, the_steps_of_a_life_come_in_the_kernels_order)
{
	load_fn(whole_life);
	run_clean(1);
	cr_assert_str_eq(t.log, "ADD configure BIND probe BOUND "
				"DEL UNBIND remove cleanup UNBOUND REMOVED ");
	cr_assert_eq(t.n_released, 1);
}

static void failing_life(void *arg)
{
	struct device *dev = new_device(0);
	int error = t.probe_error ? t.probe_error : t.configure_error;

	(void)arg;
	driver_register(&t.b->drv);
	device_register(dev);
	cr_assert_not(device_is_bound(dev));
	cr_assert_eq(device_driver_attach(&t.b->drv, dev), error);
	device_unregister(dev);
	driver_unregister(&t.b->drv);
}

Test(device, a_failed_probe_is_undone_and_dma_cleaned_up)
{
	t.probe_error = -EINVAL;
	load_fn(failing_life);
	run_clean(1);
	cr_assert_str_eq(t.log, "ADD configure BIND probe NOT_BOUND cleanup "
				"configure BIND probe NOT_BOUND cleanup DEL REMOVED ");
	cr_assert_eq(t.n_configured, 0);
}

Test(device, a_failed_dma_configure_is_not_cleaned_up)
{
	t.configure_error = -ENOMEM;
	load_fn(failing_life);
	run_clean(1);
	cr_assert_str_eq(t.log, "ADD configure configure DEL REMOVED ");
}

/* --- binding by hand --- */

static void by_hand(void *arg)
{
	struct device *dev = new_device(0);

	(void)arg;
	driver_register(&t.b->drv);
	driver_register(&t.b->other);
	cr_assert_eq(driver_register(&t.b->drv), -EBUSY);
	device_register(dev);
	cr_assert_eq(dev->driver, &t.b->drv);
	cr_assert_eq(device_driver_attach(&t.b->other, dev), -EBUSY);
	device_driver_detach(&t.b->other, dev);
	cr_assert_eq(dev->driver, &t.b->drv);
	device_driver_detach(&t.b->drv, dev);
	cr_assert_null(dev->driver);
	cr_assert_eq(device_driver_attach(&t.b->other, dev), 0);
	cr_assert_eq(dev->driver, &t.b->other);
	device_release_driver(dev);
	dev->driver_override = "other";
	cr_assert_eq(device_driver_attach(&t.b->drv, dev), -ENODEV);
	cr_assert_eq(device_attach(dev), 1);
	cr_assert_eq(dev->driver, &t.b->other);
	driver_unregister(&t.b->other);
	cr_assert_null(dev->driver);
	cr_assert_eq(device_driver_attach(&t.b->other, dev), -ENODEV);
	device_unregister(dev);
	cr_assert_eq(driver_find("drv", &t.b->bus), &t.b->drv);
	driver_unregister(&t.b->drv);
	cr_assert_null(driver_find("drv", &t.b->bus));
}

Test(device, binding_by_hand_obeys_override_and_what_is_bound)
{
	load_fn(by_hand);
	run_clean(1);
}

/* --- deferral --- */

static int deferring_probe(struct device *dev)
{
	if (dev->index == 0) {
		t.supplier_there = true;
		return 0;
	}
	step();
	t.n_probes++;
	return t.supplier_there ? 0 : -EPROBE_DEFER;
}

static void add_consumer(void *arg)
{
	cr_assert_eq(device_register(arg), 0);
}

static void deferral(void *arg)
{
	struct device *consumer = new_device(1), *supplier = new_device(0);

	(void)arg;
	t.b->drv.probe = deferring_probe;
	driver_register(&t.b->drv);
	spawn("consumer", add_consumer, consumer);
	cr_assert_eq(device_register(supplier), 0);
	while (!READ_ONCE(consumer->registered))
		cpu_relax();
	do
		wait_for_device_probe();
	while (!device_is_bound(consumer));
	cr_assert_eq(driver_deferred_probe_pending(), 0);
	device_unregister(supplier);
	device_unregister(consumer);
	driver_unregister(&t.b->drv);
}

Test(device, a_deferred_probe_is_retried_when_another_device_has_bound)
{
	int deferred = 0;

	load_fn(deferral);
	for (u64 seed = 1; seed <= 300; seed++) {
		struct world_run r = run(seed);

		assert_clean(&r);
		cr_assert_eq(t.n_released, 2);
		deferred += t.n_probes > 1;
	}
	cr_assert_gt(deferred, 20);
}

/* --- everybody at once --- */

static void binder(void *arg)
{
	struct device_driver *drv = arg;

	for (int i = 0; i < 3; i++) {
		device_driver_attach(drv, t.b->dev[0]);
		device_driver_detach(drv, t.b->dev[0]);
	}
}

static void driver_cycle(void *arg)
{
	(void)arg;
	driver_unregister(&t.b->drv);
	driver_register(&t.b->drv);
	bus_rescan_devices(&t.b->bus);
}

static void plugger(void *arg)
{
	struct device *dev = new_device(1);

	(void)arg;
	device_register(dev);
	device_unregister(dev);
}

static void storm(void *arg)
{
	(void)arg;
	t.b->dev[0] = new_device(0);
	driver_register(&t.b->drv);
	driver_register(&t.b->other);
	device_register(t.b->dev[0]);
	spawn("bind drv", binder, &t.b->drv);
	spawn("bind other", binder, &t.b->other);
	spawn("driver", driver_cycle, NULL);
	spawn("plug", plugger, NULL);
}

static void settle(void)
{
	wait_for_device_probe();
	cr_assert_eq(t.n_bound, device_is_bound(t.b->dev[0]));
	device_unregister(t.b->dev[0]);
	cr_assert_eq(t.n_bound, 0);
	cr_assert_eq(t.n_configured, 0);
	driver_unregister(&t.b->drv);
	driver_unregister(&t.b->other);
}

Test(device, concurrent_binding_plugging_and_driver_cycles_stay_balanced)
{
	load(.boot = boot, .begin = begin, .task = {storm}, .shutdown = settle);
	run_clean(300);
	cr_assert_eq(t.n_released, 2);
}

/* --- references --- */

static void put_twice(void *arg)
{
	struct device *dev = new_device(0);

	(void)arg;
	device_register(dev);
	device_unregister(dev);
	put_device(dev);
}

Test(device, a_put_too_many_is_found)
{
	load_fn(put_twice);
	run_finds_text(1, "use-after-free");
}

static int count(struct device *dev, void *arg)
{
	int *n = arg;

	(void)dev;
	++*n;
	return *n == 2 ? 7 : 0;
}

static int is_index(struct device *dev, const void *index)
{
	return dev->index == *(const u32 *)index;
}

static void walks(void *arg)
{
	struct device *a = new_device(0), *b = new_device(1), *found;
	u32 index = 1;
	int n = 0;

	(void)arg;
	device_register(a);
	device_register(b);
	cr_assert_eq(bus_for_each_dev(&t.b->bus, NULL, &n, count), 7);
	n = 0;
	cr_assert_eq(bus_for_each_dev(&t.b->bus, a, &n, count), 0);
	cr_assert_eq(n, 1);
	found = bus_find_device(&t.b->bus, &index, is_index);
	cr_assert_eq(found, b);
	put_device(found);
	device_unregister(a);
	device_unregister(b);
	bus_unregister_notifier(&t.b->bus, &t.b->nb);
	bus_unregister(&t.b->bus);
}

Test(device, walks_visit_each_device_and_stop_at_an_answer)
{
	load_fn(walks);
	run_clean(1);
}
