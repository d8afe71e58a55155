// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What drivers/firmware/efi/efi.c asks others for while it reads the firmware's tables.
 * There is no event log of a TPM, no table of memory attributes, no seed.
 */

int efi_memattr_init(void) { return 0; }
int efi_tpm_eventlog_init(void) { return 0; }
bool xen_efi_config_table_is_usable(const void *guid, unsigned long table) { return true; }
