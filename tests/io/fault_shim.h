#pragma once

/* System calls that fail on command: linked into a test, or LD_PRELOADed with
 * ISOFIELD_FAULT="FOLDER:K:KIND[:always]". Calls on files below FOLDER count; from the K-th one on
 * (or only that one) those that can fail in the way of KIND do. A process with
 * ISOFIELD_FAULT_COUNT=FILE leaves the number of calls there in the end. */
#ifdef __cplusplus
extern "C" {
#endif

enum fault_kind { FAULT_NONE, FAULT_ENOSPC, FAULT_EIO, FAULT_EINTR, FAULT_SHORT };

/* Begin to count calls below `folder`; call number `k` (1, 2, ...) fails, later ones too if
 * `always`. */
void fault_arm(const char* folder, long k, enum fault_kind kind, int always);
/* Let everything work again; return how many calls were counted. */
long fault_disarm(void);
/* The name of the last call that was made to fail; "" if none. */
const char* fault_victim(void);

#ifdef __cplusplus
}
#endif
