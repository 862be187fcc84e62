/* SPDX-License-Identifier: Apache-2.0 */
/* Uses the libraries in the place of Gramine's as a C program does: it opens them when it runs.
 *   ra_tls_user create LIBRARY KEY CERTIFICATE
 *   ra_tls_user verify LIBRARY CERTIFICATE [MR_ENCLAVE]     with one: a callback that wants it
 * Prints what the function gave, and for verify what stands in its results. */
#include <dlfcn.h>
#include <gramine/ra_tls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char wanted[32 * 2 + 1];

static int compare(const char* mrenclave, const char* mrsigner, const char* isv_prod_id,
                   const char* isv_svn) {
  char hex[sizeof(wanted)];
  size_t i;
  (void)mrsigner;
  (void)isv_prod_id;
  (void)isv_svn;
  for (i = 0; i < 32; ++i) sprintf(hex + 2 * i, "%02x", (unsigned char)mrenclave[i]);
  return strcmp(hex, wanted) == 0 ? 0 : -1;
}

/* POSIX has a function pointer fit into a void pointer; C99 has no word for it. */
static void find(void* library, const char* name, void* function) {
  void* found = dlsym(library, name);
  if (found == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    exit(1);
  }
  memcpy(function, &found, sizeof(found));
}

static int write_file(const char* path, const uint8_t* bytes, size_t size) {
  FILE* file = fopen(path, "wb");
  if (file == NULL) return 1;
  if (fwrite(bytes, 1, size, file) != size) size = 0;
  return fclose(file) != 0 || size == 0;
}

static int create(void* library, const char* key_path, const char* certificate_path) {
  int (*create_key_and_crt)(uint8_t**, size_t*, uint8_t**, size_t*);
  uint8_t* key = NULL;
  uint8_t* certificate = NULL;
  size_t key_size = 0;
  size_t certificate_size = 0;
  int failed = 0;
  int result;
  find(library, "ra_tls_create_key_and_crt_der", &create_key_and_crt);
  result = create_key_and_crt(&key, &key_size, &certificate, &certificate_size);
  printf("%d\n", result);
  if (result == 0) {
    failed = write_file(key_path, key, key_size) ||
             write_file(certificate_path, certificate, certificate_size);
  } else if (key != NULL || certificate != NULL) {
    failed = 1;
  }
  free(key);
  free(certificate);
  return failed;
}

static int verify(void* library, const char* certificate_path) {
  static uint8_t certificate[65536];
  int (*verify_callback)(uint8_t*, size_t, struct ra_tls_verify_callback_results*);
  int (*verify_callback_short)(uint8_t*, size_t);
  void (*set_callback)(verify_measurements_cb_t);
  struct ra_tls_verify_callback_results results;
  size_t size;
  int result;
  FILE* file = fopen(certificate_path, "rb");
  if (file == NULL) return 1;
  size = fread(certificate, 1, sizeof(certificate), file);
  fclose(file);
  find(library, "ra_tls_verify_callback_extended_der", &verify_callback);
  find(library, "ra_tls_verify_callback_der", &verify_callback_short);
  find(library, "ra_tls_set_measurement_callback", &set_callback);
  set_callback(wanted[0] != '\0' ? compare : NULL);
  memset(&results, 0x5a, sizeof(results));
  result = verify_callback(certificate, size, &results);
  /* As programs do that know both schemes. */
  if (results.attestation_scheme == RA_TLS_ATTESTATION_SCHEME_EPID) {
    printf("%.128s\n", results.epid.ias_enclave_quote_status);
  }
  printf("%d %d %d %x %x\n", result, (int)results.attestation_scheme, (int)results.err_loc,
         (unsigned)results.dcap.func_verify_quote_result,
         (unsigned)results.dcap.quote_verification_result);
  if (results.misc.reserved[sizeof(results.misc.reserved) - 1] != 0) return 1;
  if (verify_callback(certificate, size, NULL) != result) return 1;
  return verify_callback_short(certificate, size) != result;
}

int main(int argc, char** argv) {
  void* library;
  if (argc < 4) return 2;
  library = dlopen(argv[2], RTLD_LAZY);
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  if (strcmp(argv[1], "create") == 0 && argc == 5) return create(library, argv[3], argv[4]);
  if (argc == 5) strncpy(wanted, argv[4], sizeof(wanted) - 1);
  return verify(library, argv[3]);
}
