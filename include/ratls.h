/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RATLS_H
#define RATLS_H

/*
 * ratls.h is the C interface of ratls (docs/c-api.md): verdicts on attestation evidence, attested
 * keys and certificates, and an HTTPS client that verifies its server before it sends a byte.
 * C99 and C++; nothing is thrown through it.
 *
 * What holds for every function:
 * - A function that can fail gives a code: RATLS_OK, or what went wrong (docs/errors.md). With
 *   `error` not NULL, *error is then a new ratls_error, else NULL; its owner frees it.
 * - Out-parameters are set in every case: to a new handle, or to NULL (0) on failure.
 * - Each handle belongs to the caller, who frees it with the function of its type; all of these
 *   take NULL. Handles do not depend on one another: a policy may be freed while a client uses it.
 * - Texts are UTF-8 and end with a NUL. Texts and bytes that a function gives belong to the handle
 *   that it was asked about, and stay until that is freed. What is passed in is copied.
 * - A pointer that must not be NULL and is gives RATLS_USAGE; accessors then give NULL or 0.
 * - Thread-safety: handles may be used from any thread and by several at once, but for
 *   ratls_response: one thread at a time. None may be freed while it is in use.
 * - Structures begin with their size; set them with their _INIT macro. Later versions add members
 *   at the end only, and take the shorter structure of an earlier version.
 * - Codes, names of functions and the order of members do not change within one SONAME.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define RATLS_API __attribute__((visibility("default")))
#else
#define RATLS_API
#endif

/* RATLS_ABI_VERSION counts additions to this interface. */
#define RATLS_ABI_VERSION 1

/*
 * ratls_code says what went wrong. The hundreds digit is the group, and the group says what to do:
 * 2 fix the call or the policy, 3 malformed, 4 untrusted, 5 stale, 6 TCB, 7 policy, 8 unavailable,
 * 9 a defect of ratls. Later versions may add codes; the groups stay.
 */
typedef enum ratls_code {
  RATLS_OK = 0,
  RATLS_USAGE = 201,
  RATLS_URL_INVALID = 202,
  RATLS_POLICY_INVALID = 203,
  RATLS_POLICY_EMPTY = 204,
  RATLS_FILE_UNREADABLE = 205,
  RATLS_FILE_UNWRITABLE = 206,
  RATLS_MALFORMED_HEX = 207,
  RATLS_PROXY_UNSUPPORTED = 208,
  RATLS_CONFIG_INVALID = 209,
  RATLS_COMMAND_NOT_RUN = 210,
  RATLS_SIGSTRUCT_INVALID = 211,
  RATLS_EVIDENCE_MISSING = 301,
  RATLS_CERTIFICATE_MALFORMED = 302,
  RATLS_EVIDENCE_MALFORMED = 303,
  RATLS_EVIDENCE_DUPLICATE = 304,
  RATLS_EVIDENCE_CONFLICT = 305,
  RATLS_QUOTE_MALFORMED = 306,
  RATLS_QUOTE_UNSUPPORTED = 307,
  RATLS_CERTIFICATION_DATA_UNSUPPORTED = 308,
  RATLS_COLLATERAL_MALFORMED = 309,
  RATLS_TCB_INFO_MALFORMED = 310,
  RATLS_QE_IDENTITY_MALFORMED = 311,
  RATLS_KEY_UNSUPPORTED = 312,
  RATLS_ROOT_UNTRUSTED = 401,
  RATLS_PCK_CHAIN_UNTRUSTED = 402,
  RATLS_CRL_UNTRUSTED = 403,
  RATLS_CERTIFICATE_REVOKED = 404,
  RATLS_TCB_CHAIN_UNTRUSTED = 405,
  RATLS_TCB_INFO_UNTRUSTED = 406,
  RATLS_QE_IDENTITY_UNTRUSTED = 407,
  RATLS_TCB_INFO_MISMATCH = 408,
  RATLS_QE_IDENTITY_MISMATCH = 409,
  RATLS_QE_REPORT_UNTRUSTED = 410,
  RATLS_ATTESTATION_KEY_UNBOUND = 411,
  RATLS_QUOTE_UNTRUSTED = 412,
  RATLS_CERTIFICATE_UNBOUND = 413,
  RATLS_CERTIFICATE_UNTRUSTED = 414,
  RATLS_PCK_CHAIN_MALFORMED = 415,
  RATLS_CRL_MALFORMED = 416,
  RATLS_TCB_CHAIN_MALFORMED = 417,
  RATLS_TDX_MODULE_MISMATCH = 418,
  RATLS_PCK_CHAIN_EXPIRED = 501,
  RATLS_CRL_EXPIRED = 502,
  RATLS_TCB_CHAIN_EXPIRED = 503,
  RATLS_TCB_INFO_EXPIRED = 504,
  RATLS_QE_IDENTITY_EXPIRED = 505,
  RATLS_COLLATERAL_TOO_OLD = 506,
  RATLS_CERTIFICATE_EXPIRED = 507,
  RATLS_COLLATERAL_SUPERSEDED = 508,
  RATLS_TCB_OUT_OF_DATE = 601,
  RATLS_TCB_CONFIGURATION_NEEDED = 602,
  RATLS_TCB_SW_HARDENING_NEEDED = 603,
  RATLS_TCB_REVOKED = 604,
  RATLS_TCB_NOT_SUPPORTED = 605,
  RATLS_TCB_ADVISORY_NOT_ACCEPTED = 606,
  RATLS_TCB_EVALUATION_NUMBER_TOO_LOW = 607,
  RATLS_TCB_TD_RELAUNCH_ADVISED = 608,
  RATLS_ENCLAVE_DEBUG = 701,
  RATLS_ENCLAVE_ATTRIBUTES = 702,
  RATLS_IDENTITY_MISMATCH = 703,
  RATLS_PLATFORM_NOT_ALLOWED = 704,
  RATLS_CERTIFICATE_LIFETIME = 705,
  RATLS_CERTIFICATE_USAGE = 706,
  RATLS_SERVER_KEY_NOT_ALLOWED = 707,
  RATLS_EVIDENCE_NOT_FRESH = 708,
  RATLS_REDIRECT_REFUSED = 709,
  RATLS_NAME_MISMATCH = 710,
  RATLS_CONNECTION_FAILED = 801,
  RATLS_HANDSHAKE_FAILED = 802,
  RATLS_CONNECTION_CLOSED = 803,
  RATLS_TIMEOUT = 804,
  RATLS_COLLATERAL_UNAVAILABLE = 805,
  RATLS_QUOTE_UNAVAILABLE = 806,
  RATLS_LISTEN_FAILED = 807,
  RATLS_PLATFORM_UNAVAILABLE = 808,
  RATLS_ANSWER_TOO_LARGE = 809,
  RATLS_COLLATERAL_PLATFORM_UNKNOWN = 810,
  RATLS_COLLATERAL_NUMBER_RETIRED = 811,
  RATLS_COLLATERAL_SERVER_UNTRUSTED = 812,
  RATLS_APP_FAILED = 813,
  RATLS_PROXY_FAILED = 814,
  RATLS_INTERNAL = 901
} ratls_code;

typedef struct ratls_error ratls_error;
typedef struct ratls_policy ratls_policy;
typedef struct ratls_verifier ratls_verifier;
typedef struct ratls_report ratls_report;
typedef struct ratls_certificate ratls_certificate;
typedef struct ratls_client ratls_client;
typedef struct ratls_response ratls_response;

/* ratls_version is the version of the library: "0.1.0". */
RATLS_API const char* ratls_version(void);
/* ratls_abi_version is the RATLS_ABI_VERSION that the library was built with. */
RATLS_API uint32_t ratls_abi_version(void);

/* ratls_code_name is the stable name of a code, "tcb_out_of_date"; "internal" for an unknown one.
 * ratls_code_hint says what to do next, in one line. */
RATLS_API const char* ratls_code_name(ratls_code code);
RATLS_API const char* ratls_code_hint(ratls_code code);
/* ratls_exit_code is the group of a code: its hundreds digit, 0 to 9. */
RATLS_API int ratls_exit_code(ratls_code code);

/* Errors */

RATLS_API ratls_code ratls_error_code(const ratls_error* error);
/* message is one line for people; nothing may parse it. */
RATLS_API const char* ratls_error_message(const ratls_error* error);
/* where names the field, file or certificate; NULL when there is no place. */
RATLS_API const char* ratls_error_where(const ratls_error* error);
RATLS_API const char* ratls_error_hint(const ratls_error* error);
/* report is the JSON report of a server, certificate or quote that was judged and refused; NULL for
 * all other errors. */
RATLS_API const char* ratls_error_report(const ratls_error* error);
RATLS_API void ratls_error_free(ratls_error* error);

/* Policies: what is accepted (docs/policy.md) */

/* ratls_policy_load reads a policy file. Relative paths in it count from its folder.
 * Errors: RATLS_POLICY_INVALID, RATLS_POLICY_EMPTY, RATLS_FILE_UNREADABLE. */
RATLS_API ratls_code ratls_policy_load(const char* path, ratls_policy** policy,
                                       ratls_error** error);
/* ratls_policy_parse reads the text of a policy file; relative paths in it count from base_dir
 * (NULL: the current folder). Errors: as ratls_policy_load. */
RATLS_API ratls_code ratls_policy_parse(const char* toml, size_t size, const char* base_dir,
                                        ratls_policy** policy, ratls_error** error);

/* ratls_identity names one enclave: by mr_enclave, or by mr_signer with isv_prod_id and
 * min_isv_svn. All that is stated must hold. */
typedef struct ratls_identity {
  size_t size;
  const char* mr_enclave; /* 64 hex digits; NULL: not stated */
  const char* mr_signer;  /* 64 hex digits; NULL: not stated */
  int32_t isv_prod_id;    /* 0 to 65535; negative: not stated */
  int32_t min_isv_svn;    /* 0 to 65535; negative: not stated */
} ratls_identity;
#define RATLS_IDENTITY_INIT \
  { sizeof(ratls_identity), NULL, NULL, -1, -1 }

/* What ratls_policy_from_identities accepts beyond a production enclave on an up-to-date platform.
 * A status that joins two conditions needs both of their flags. */
#define RATLS_ACCEPT_DEBUG UINT32_C(1) /* the host can read the enclave's memory */
#define RATLS_ACCEPT_OUT_OF_DATE UINT32_C(2)
#define RATLS_ACCEPT_CONFIGURATION_NEEDED UINT32_C(4)
#define RATLS_ACCEPT_SW_HARDENING_NEEDED UINT32_C(8)

/* ratls_policy_from_identities makes a policy of identities, one of which must match. base is a
 * policy file without identities of its own, which says all the rest; NULL: the defaults, with
 * Intel's root and collateral service. accept joins flags above.
 * Errors: RATLS_MALFORMED_HEX, RATLS_USAGE, and as ratls_policy_load. */
RATLS_API ratls_code ratls_policy_from_identities(const char* base,
                                                  const ratls_identity* identities, size_t count,
                                                  uint32_t accept, ratls_policy** policy,
                                                  ratls_error** error);
RATLS_API void ratls_policy_free(ratls_policy* policy);

/* Verdicts on bytes */

/* RATLS_NOW asks the clock of the machine. */
#define RATLS_NOW INT64_MIN

/* ratls_verifier_open opens the collateral sources of a policy. cache_dir is where collateral from
 * a network is kept: NULL is the usual place of the command line tool, "" none. Errors:
 * RATLS_POLICY_INVALID. */
RATLS_API ratls_code ratls_verifier_open(const ratls_policy* policy, const char* cache_dir,
                                         ratls_verifier** verifier, ratls_error** error);
RATLS_API void ratls_verifier_free(ratls_verifier* verifier);

/* ratls_verify_certificate judges an attested certificate (DER or PEM), ratls_verify_quote a quote,
 * at a time in Unix seconds or RATLS_NOW. RATLS_OK means accepted. *report is set whenever there is
 * a verdict, accepted or not. A certificate proves no possession of its key and a quote binds no
 * connection: for a server use a client. Blocks: on the policy's collateral sources.
 * Errors: all codes of the groups 3 to 8; RATLS_USAGE. */
RATLS_API ratls_code ratls_verify_certificate(const ratls_verifier* verifier,
                                              const void* certificate, size_t size, int64_t at,
                                              ratls_report** report, ratls_error** error);
RATLS_API ratls_code ratls_verify_quote(const ratls_verifier* verifier, const void* quote,
                                        size_t size, int64_t at, ratls_report** report,
                                        ratls_error** error);

/* ratls_verify_peer judges, now, the certificate that the server of a TLS connection has shown: as
 * ratls_verify_certificate, and what a policy demands of sessions too. host is the name or address
 * that was asked for. The caller must have finished a handshake of its own making with that
 * certificate, not a resumed one, and may send nothing before RATLS_OK. */
RATLS_API ratls_code ratls_verify_peer(const ratls_verifier* verifier, const void* certificate,
                                       size_t size, const char* host, ratls_report** report,
                                       ratls_error** error);

RATLS_API int ratls_report_accepted(const ratls_report* report); /* 1 or 0 */
RATLS_API ratls_code ratls_report_code(const ratls_report* report);
RATLS_API const char* ratls_report_message(const ratls_report* report);
RATLS_API const char* ratls_report_where(const ratls_report* report); /* NULL when accepted */
RATLS_API const char* ratls_report_hint(const ratls_report* report);  /* NULL when accepted */
/* json is the text that `ratls verify --json` prints (docs/report.md). */
RATLS_API const char* ratls_report_json(const ratls_report* report);
RATLS_API void ratls_report_free(ratls_report* report);

/* Attested keys and certificates */

typedef enum ratls_key_type { RATLS_KEY_P256 = 0, RATLS_KEY_P384 = 1 } ratls_key_type;
typedef enum ratls_file_format { RATLS_PEM = 0, RATLS_DER = 1 } ratls_file_format;

typedef struct ratls_certificate_options {
  size_t size;
  const char* tee;     /* "auto", "gramine", "gramine:DIR", "tdx", "tdx:DIR", "sim"; NULL: auto */
  const char* sim_dir; /* the simulated platform; NULL: the default one */
  const char* const* names; /* DNS names and IP addresses beside localhost, 127.0.0.1 and ::1 */
  size_t name_count;
  int64_t lifetime;  /* seconds, 10 minutes to 89 days with 5 minutes of backdating; 0: 30 days */
  int32_t key_type;  /* ratls_key_type */
  int32_t dice_only; /* 1: without Gramine's older extension */
} ratls_certificate_options;
#define RATLS_CERTIFICATE_OPTIONS_INIT \
  { sizeof(ratls_certificate_options), NULL, NULL, NULL, 0, 0, RATLS_KEY_P256, 0 }

/* ratls_certificate_make makes a new key and a self-signed certificate that carries a quote for it.
 * options may be NULL. Blocks: tens of milliseconds on hardware.
 * Errors: RATLS_CONFIG_INVALID, RATLS_QUOTE_UNAVAILABLE, RATLS_PLATFORM_UNAVAILABLE, RATLS_USAGE.
 */
RATLS_API ratls_code ratls_certificate_make(const ratls_certificate_options* options,
                                            ratls_certificate** certificate, ratls_error** error);
/* The certificate and its key (PKCS#8) in one ratls_file_format; *size, which may be NULL, is their
 * length without a NUL. The key is a secret; it is wiped when the handle is freed. */
RATLS_API const void* ratls_certificate_bytes(const ratls_certificate* certificate, int32_t format,
                                              size_t* size);
RATLS_API const void* ratls_certificate_key(const ratls_certificate* certificate, int32_t format,
                                            size_t* size);
/* not_after is the end of the certificate in Unix seconds. Nothing renews it. */
RATLS_API int64_t ratls_certificate_not_after(const ratls_certificate* certificate);
/* ratls_certificate_write writes the key (mode 0600) and the certificate (0644) as `ratls run`
 * does: both or none, existing files are replaced, links are not followed. Errors:
 * RATLS_FILE_UNWRITABLE, RATLS_USAGE. */
RATLS_API ratls_code ratls_certificate_write(const ratls_certificate* certificate,
                                             const char* certificate_path, const char* key_path,
                                             int32_t format, ratls_error** error);
RATLS_API void ratls_certificate_free(ratls_certificate* certificate);

/* The client */

typedef struct ratls_client_options {
  size_t size;
  int64_t connect_timeout; /* milliseconds, with the handshake and its verification; 0: 10 s */
  int64_t stall_timeout;   /* milliseconds without a byte in either direction; 0: 60 s */
  int64_t total_timeout;   /* milliseconds of one exchange; 0: only the others count */
  int32_t retries;         /* of connection errors; a refusal is final */
  int32_t max_redirects;   /* within the origin; 0: a redirect is an answer like others */
  const char* proxy;       /* http:// or SOCKS; NULL: the environment's; "": none */
  const char* cache_dir;   /* of collateral: NULL: the usual place; "": none */
} ratls_client_options;
#define RATLS_CLIENT_OPTIONS_INIT \
  { sizeof(ratls_client_options), 0, 0, 0, 0, 5, NULL, NULL }

/* ratls_client_open prepares a client of one origin: "https://host:8000", with a path perhaps that
 * request paths are appended to. options may be NULL. It connects to nobody yet.
 * Errors: RATLS_URL_INVALID, RATLS_PROXY_UNSUPPORTED, RATLS_POLICY_INVALID, RATLS_USAGE. */
RATLS_API ratls_code ratls_client_open(const char* url, const ratls_policy* policy,
                                       const ratls_client_options* options, ratls_client** client,
                                       ratls_error** error);
/* Responses may be read on after their client was freed. */
RATLS_API void ratls_client_free(ratls_client* client);

/* ratls_client_verify verifies the server on a new connection and closes it without a request.
 * *report is set whenever there is a verdict, accepted or not. Blocks.
 * Errors: of the groups 3 to 8. */
RATLS_API ratls_code ratls_client_verify(ratls_client* client, ratls_report** report,
                                         ratls_error** error);

typedef struct ratls_header {
  const char* name;
  const char* value;
} ratls_header;

typedef struct ratls_request {
  size_t size;
  const char* method;          /* NULL: GET */
  const char* path;            /* path and query, with a slash in front; NULL: the client's URL */
  const ratls_header* headers; /* Host, Content-Length and the like are the client's to write */
  size_t header_count;
  const void* body;
  size_t body_size;
  int64_t connect_timeout; /* as in ratls_client_options; 0: the client's */
  int64_t stall_timeout;
  int64_t total_timeout; /* 0: the client's */
} ratls_request;
#define RATLS_REQUEST_INIT \
  { sizeof(ratls_request), NULL, NULL, NULL, 0, NULL, 0, 0, 0, 0 }

/* ratls_client_request verifies the server within the TLS handshake, before a byte of the request
 * is sent, and waits for the head of the answer. A connection is kept for later requests, no longer
 * than its verdict lasts. Calls that overlap have connections of their own. Blocks.
 * Errors: of the groups 2 to 8; ratls_error_report tells of a server that was refused. */
RATLS_API ratls_code ratls_client_request(ratls_client* client, const ratls_request* request,
                                          ratls_response** response, ratls_error** error);

RATLS_API int ratls_response_status(const ratls_response* response);
/* Headers as they came, in their order and spelling. NULL from index header_count on. */
RATLS_API size_t ratls_response_header_count(const ratls_response* response);
RATLS_API const char* ratls_response_header_name(const ratls_response* response, size_t index);
RATLS_API const char* ratls_response_header_value(const ratls_response* response, size_t index);
/* ratls_response_find_header is the first value of a header, in any spelling; NULL: there is none.
 */
RATLS_API const char* ratls_response_find_header(const ratls_response* response, const char* name);
/* ratls_response_identity is the JSON report of the verified server that this answer came from. */
RATLS_API const char* ratls_response_identity(ratls_response* response);
/* ratls_response_read puts the next bytes of the body into a buffer of at least one byte; *got is
 * how many, 0 at the end. Blocks: until there are some.
 * Errors: RATLS_CONNECTION_CLOSED, RATLS_TIMEOUT, RATLS_USAGE. */
RATLS_API ratls_code ratls_response_read(ratls_response* response, void* buffer, size_t size,
                                         size_t* got, ratls_error** error);
/* Freeing a response before the end of its body closes its connection. */
RATLS_API void ratls_response_free(ratls_response* response);

#ifdef __cplusplus
}
#endif

#endif /* RATLS_H */
