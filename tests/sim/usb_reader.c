/*
 * Readers on a USB bus that a test plugs and unplugs, for a pcscd that knows no difference.
 *
 * Preloaded into pcscd, this answers its questions about the bus (libudev(3)): a file in the folder $USB_BUS is a
 * device that is plugged in, its name the product's number and its only line a TCP port. Loaded by pcscd as the driver
 * of these devices, it is vsmartcard's driver, which listens for the device's card on that port.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <ifdhandler.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define VENDOR "1209" /* pid.codes, where products 0001 to 0010 are for tests */
#define PRODUCT_DIGITS 4
#define MUTE "mute."
#define DEVICES 2 /* as many as vsmartcard's driver has slots */

struct udev_device {
    char product[PRODUCT_DIGITS + 1];
    char node[32];
    char path[PATH_MAX];
    const char *action;
};

struct udev_list_entry {
    char name[PATH_MAX];
    struct udev_list_entry *next;
};

static int bus_fd;
static struct udev_list_entry *found;

static struct udev_device *device(const char *product, const char *action)
{
    struct udev_device *one = calloc(1, sizeof *one);
    snprintf(one->product, sizeof one->product, "%s", product);
    snprintf(one->node, sizeof one->node, "/dev/bus/usb/%s", one->product);
    snprintf(one->path, sizeof one->path, "%s/%s", getenv("USB_BUS"), one->product);
    one->action = action;
    return one;
}

/* Whatever has no state of its own is represented by something that is not NULL. */
void *udev_new(void)
{
    /* Before the first look at the bus: nothing that is plugged in meanwhile is missed. */
    bus_fd = inotify_init1(IN_CLOEXEC);
    inotify_add_watch(bus_fd, getenv("USB_BUS"), IN_MOVED_TO | IN_DELETE);
    return &bus_fd;
}

void *udev_unref(void *udev) { return NULL; }
void *udev_enumerate_new(void *udev) { return &found; }
int udev_enumerate_add_match_subsystem(void *all, const char *subsystem) { return 0; }

void *udev_enumerate_unref(void *all)
{
    while (found) {
        struct udev_list_entry *next = found->next;
        free(found);
        found = next;
    }
    return NULL;
}

int udev_enumerate_scan_devices(void *all)
{
    DIR *bus = opendir(getenv("USB_BUS"));
    struct dirent *file;
    while (bus && (file = readdir(bus))) {
        if (strlen(file->d_name) != PRODUCT_DIGITS)
            continue;
        struct udev_list_entry *entry = calloc(1, sizeof *entry);
        snprintf(entry->name, sizeof entry->name, "%s/%s", getenv("USB_BUS"), file->d_name);
        entry->next = found;
        found = entry;
    }
    if (bus)
        closedir(bus);
    return 0;
}

struct udev_list_entry *udev_enumerate_get_list_entry(void *all) { return found; }
struct udev_list_entry *udev_list_entry_get_next(struct udev_list_entry *entry) { return entry->next; }
const char *udev_list_entry_get_name(struct udev_list_entry *entry) { return entry->name; }

void *udev_monitor_new_from_netlink(void *udev, const char *name) { return &bus_fd; }
int udev_monitor_filter_add_match_subsystem_devtype(void *monitor, const char *subsystem, const char *type) { return 0; }
int udev_monitor_enable_receiving(void *monitor) { return 0; }
int udev_monitor_get_fd(void *monitor) { return bus_fd; }

struct udev_device *udev_monitor_receive_device(void *monitor)
{
    /* Room for one event and no two: names have the length of PRODUCT_DIGITS, padded to 16 bytes (inotify(7)). */
    union { struct inotify_event event; char room[sizeof(struct inotify_event) + 16]; } next;
    if (read(bus_fd, &next, sizeof next) <= 0)
        return NULL;
    return device(next.event.name, next.event.mask & IN_DELETE ? "remove" : "add");
}

struct udev_device *udev_device_new_from_syspath(void *udev, const char *path) { return device(strrchr(path, '/') + 1, NULL); }
struct udev_device *udev_device_unref(struct udev_device *one) { free(one); return NULL; }
const char *udev_device_get_action(struct udev_device *one) { return one->action; }
const char *udev_device_get_devnode(struct udev_device *one) { return one->node; }
const char *udev_device_get_sysname(struct udev_device *one) { return one->product; }
const char *udev_device_get_devpath(struct udev_device *one) { return one->path; }
const char *udev_device_get_syspath(struct udev_device *one) { return one->path; }

/* An interface of the device, which is the device itself here. */
struct udev_device *udev_device_get_parent_with_subsystem_devtype(struct udev_device *one, const char *s, const char *t)
{
    return one;
}

const char *udev_device_get_sysattr_value(struct udev_device *one, const char *name)
{
    if (!strcmp(name, "idVendor"))
        return VENDOR;
    if (!strcmp(name, "idProduct"))
        return one->product;
    return strcmp(name, "bInterfaceNumber") ? NULL : "00";
}

/*
 * What pcscd asks of the driver (ifdhandler.h). vsmartcard's knows one reader with two slots, and the lower half of a lun
 * is the slot: here each device gets a slot of its own. The upper half counts readers, in the order of their plugging.
 */

static DWORD slots[PCSCLITE_MAX_READERS_CONTEXTS];

static DWORD slot(DWORD lun) { return slots[lun >> 16]; }

/* Where its functions call each other they must not meet ours: RTLD_DEEPBIND. */
static void *vsmartcard(const char *name)
{
    static void *driver;
    if (!driver)
        driver = dlopen(DRIVER, RTLD_NOW | RTLD_DEEPBIND);
    return dlsym(driver, name);
}

#define NEXT(name) ((__typeof__(&name))vsmartcard(#name))

RESPONSECODE IFDHCreateChannelByName(DWORD lun, LPSTR name)
{
    const char *product = strrchr(name, '/') + 1;
    char path[PATH_MAX], address[64];
    int port = 0;
    snprintf(path, sizeof path, "%s/%s", getenv("USB_BUS"), product);
    FILE *file = fopen(path, "r");
    if (!file)
        return IFD_NO_SUCH_DEVICE;
    int read = fscanf(file, "%d", &port);
    fclose(file);
    if (read != 1)
        return IFD_COMMUNICATION_ERROR;
    slots[lun >> 16] = strtoul(product, NULL, 16) - 1;
    /* The driver adds the slot to the port. */
    snprintf(address, sizeof address, "/dev/null:%#x", port - (int)slot(lun));
    return NEXT(IFDHCreateChannelByName)(slot(lun), address);
}

RESPONSECODE IFDHCreateChannel(DWORD lun, DWORD channel) { return IFD_NOT_SUPPORTED; }
RESPONSECODE IFDHCloseChannel(DWORD lun) { return NEXT(IFDHCloseChannel)(slot(lun)); }
RESPONSECODE IFDHICCPresence(DWORD lun) { return NEXT(IFDHICCPresence)(slot(lun)); }

RESPONSECODE IFDHGetCapabilities(DWORD lun, DWORD tag, PDWORD length, PUCHAR value)
{
    if (tag != TAG_IFD_SLOTS_NUMBER && tag != TAG_IFD_SIMULTANEOUS_ACCESS)
        return NEXT(IFDHGetCapabilities)(slot(lun), tag, length, value);
    *length = 1;
    *value = tag == TAG_IFD_SLOTS_NUMBER ? 1 : DEVICES;
    return IFD_SUCCESS;
}

RESPONSECODE IFDHSetCapabilities(DWORD lun, DWORD tag, DWORD length, PUCHAR value)
{
    return NEXT(IFDHSetCapabilities)(slot(lun), tag, length, value);
}

RESPONSECODE IFDHSetProtocolParameters(DWORD lun, DWORD protocol, UCHAR flags, UCHAR p1, UCHAR p2, UCHAR p3)
{
    return NEXT(IFDHSetProtocolParameters)(slot(lun), protocol, flags, p1, p2, p3);
}

/* A file beside the device, named as it is with MUTE before it: no card on this reader answers. */
static int mute(DWORD lun)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/" MUTE "%04lx", getenv("USB_BUS"), (unsigned long)slot(lun) + 1);
    return !access(path, F_OK);
}

RESPONSECODE IFDHPowerICC(DWORD lun, DWORD action, PUCHAR atr, PDWORD length)
{
    if (mute(lun) && action != IFD_POWER_DOWN)
        return IFD_ERROR_POWER_ACTION;
    return NEXT(IFDHPowerICC)(slot(lun), action, atr, length);
}

RESPONSECODE IFDHTransmitToICC(DWORD lun, SCARD_IO_HEADER sent, PUCHAR command, DWORD command_length, PUCHAR answer,
    PDWORD answer_length, PSCARD_IO_HEADER received)
{
    return NEXT(IFDHTransmitToICC)(slot(lun), sent, command, command_length, answer, answer_length, received);
}

RESPONSECODE IFDHControl(DWORD lun, DWORD code, PUCHAR command, DWORD command_length, PUCHAR answer,
    DWORD answer_length, LPDWORD returned)
{
    return NEXT(IFDHControl)(slot(lun), code, command, command_length, answer, answer_length, returned);
}
