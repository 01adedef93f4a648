"""Whether a kernel has a module: one check, for servers and for NAT routers. Pure."""

from holdfast.advise.check import Check, fault, ok, unknown, warning
from holdfast.advise.facts import HostFacts

KEPT_IN = "/etc/modules-load.d/pptp.conf"


def kernel_module(facts: HostFacts, module: str, what: str, *missing: str, by_itself: bool) -> Check:
    """Return the check `kernel-MODULE`. `what`: what the kernel does with it; `missing`: what helps where it has none.

    `by_itself`: whether the kernel loads it when it is needed, so that a module that could be loaded is as good as one
    that is.
    """
    name = f"kernel-{module.replace('_', '-')}"
    if module in facts.modules:
        return ok(name, f"The kernel can {what}.", f"{module} is loaded or built in")
    if facts.loadable is None:
        why = f"{module} is not loaded, and /lib/modules and the kernel's configuration are not there to look it up"
        return unknown(name, f"Whether the kernel can {what} is not known.", why, f"modprobe {module}")
    if module not in facts.loadable:
        return fault(name, f"The kernel cannot {what}.", f"{module} is neither loaded nor in /lib/modules", *missing)
    where = f"{module} is in /lib/modules"
    if by_itself:
        return ok(name, f"The kernel can {what}: it loads the module when it is needed.", where)
    steps = (f"modprobe {module}", f"echo {module} >> {KEPT_IN}")
    return warning(name, f"The kernel can {what}, but has not loaded it.", where, *steps)
