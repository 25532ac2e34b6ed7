#!/bin/sh
# First program of the guest: mounts, loads the modules, hands over to the runner, powers off.
# What it prints goes to the console (the log); what the runner has to say goes to the second port.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
for module in $(cat /modules/order); do
    insmod "/modules/$module" || echo "init: cannot load $module"
done
# A user without a limit: a case that needs one sets it.
ulimit -l unlimited
xtask guest
echo "init: the runner ended with $?"
poweroff -f
