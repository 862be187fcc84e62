/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RATLS_GRAMINE_RA_TLS_H
#define RATLS_GRAMINE_RA_TLS_H

/* The part of Gramine's RA-TLS interface that needs no certain TLS library, as ratls offers it in
 * libra_tls_attest.so, libra_tls_verify_dcap.so and libra_tls_verify_dcap_gramine.so. Names,
 * numbers and layouts are Gramine's; docs/gramine-compat.md says what is different. New code uses
 * ratls.h. */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The variables that ra_tls_verify_callback_*() read, each time that they are called. */
#define RA_TLS_MRSIGNER "RA_TLS_MRSIGNER"
#define RA_TLS_MRENCLAVE "RA_TLS_MRENCLAVE"
#define RA_TLS_ISV_PROD_ID "RA_TLS_ISV_PROD_ID"
#define RA_TLS_ISV_SVN "RA_TLS_ISV_SVN"
#define RA_TLS_ALLOW_OUTDATED_TCB_INSECURE "RA_TLS_ALLOW_OUTDATED_TCB_INSECURE"
#define RA_TLS_ALLOW_HW_CONFIG_NEEDED "RA_TLS_ALLOW_HW_CONFIG_NEEDED"
#define RA_TLS_ALLOW_SW_HARDENING_NEEDED "RA_TLS_ALLOW_SW_HARDENING_NEEDED"
#define RA_TLS_ALLOW_DEBUG_ENCLAVE_INSECURE "RA_TLS_ALLOW_DEBUG_ENCLAVE_INSECURE"

/* The variables that ra_tls_create_key_and_crt_der() reads: YYYYMMDDhhmmss, in UTC. */
#define RA_TLS_CERT_TIMESTAMP_NOT_BEFORE "RA_TLS_CERT_TIMESTAMP_NOT_BEFORE"
#define RA_TLS_CERT_TIMESTAMP_NOT_AFTER "RA_TLS_CERT_TIMESTAMP_NOT_AFTER"

/* EPID is here so that programs that ask for it compile; no certificate is judged by it. */
typedef enum {
  RA_TLS_ATTESTATION_SCHEME_UNKNOWN = 0,
  RA_TLS_ATTESTATION_SCHEME_EPID = 1,
  RA_TLS_ATTESTATION_SCHEME_DCAP = 2
} ra_tls_attestation_scheme_t;

/* The step that refused; AT_NONE: none did. */
typedef enum {
  AT_NONE = 0,
  AT_INIT = 1,
  AT_EXTRACT_QUOTE = 2,
  AT_VERIFY_EXTERNAL = 3,
  AT_VERIFY_ENCLAVE_ATTRS = 4,
  AT_VERIFY_ENCLAVE_MEASUREMENTS = 5
} ra_tls_err_loc_t;

struct ra_tls_epid_results {
  char ias_enclave_quote_status[128]; /* IAS is gone: never filled */
};
struct ra_tls_dcap_results {
  int func_verify_quote_result;  /* 0: a status was found; else one of Intel's errors, 0xe0.. */
  int quote_verification_result; /* the status, in the numbers of sgx_ql_qv_result_t */
};
struct ra_tls_misc_results {
  char reserved[128];
};
struct ra_tls_verify_callback_results {
  ra_tls_attestation_scheme_t attestation_scheme;
  ra_tls_err_loc_t err_loc;
#ifdef __GNUC__
  __extension__
#endif
      union {
    struct ra_tls_epid_results epid;
    struct ra_tls_dcap_results dcap;
    struct ra_tls_misc_results misc;
  };
};

/* mrenclave and mrsigner are 32 bytes, isv_prod_id and isv_svn a uint16_t each, all of them proven.
 * Zero accepts, all else refuses. It is called by the thread that verifies. */
typedef int (*verify_measurements_cb_t)(const char* mrenclave, const char* mrsigner,
                                        const char* isv_prod_id, const char* isv_svn);

/* ra_tls_set_measurement_callback says, for the whole process, who decides on the measurements from
 * now on: f_cb, or with NULL the variables. A verification asks the one that was set when it
 * began. */
void ra_tls_set_measurement_callback(verify_measurements_cb_t f_cb);

/* ra_tls_verify_callback_extended_der judges an attested certificate. 0 is accepted; a negative
 * number of mbedTLS's is not, and the reason is written to stderr. results may be NULL. Blocks: on
 * the collateral sources of /etc/ratls/compat.toml. */
int ra_tls_verify_callback_extended_der(uint8_t* der_crt, size_t der_crt_size,
                                        struct ra_tls_verify_callback_results* results);
int ra_tls_verify_callback_der(uint8_t* der_crt, size_t der_crt_size);

/* ra_tls_create_key_and_crt_der makes a key on P-384 (ECPrivateKey) and a certificate that carries
 * a quote for it. Both are from malloc() and the caller's to free(); the key is a secret. 0, or a
 * negative number of mbedTLS's with NULL for both. */
int ra_tls_create_key_and_crt_der(uint8_t** der_key, size_t* der_key_size, uint8_t** der_crt,
                                  size_t* der_crt_size);

#ifdef __cplusplus
}
#endif

#endif /* RATLS_GRAMINE_RA_TLS_H */
