# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where: the command, the shared library with its header, and what other
# builds find them by. The C++ headers are not installed: no C++ library is, in this version.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS ratls RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT ratls)
install(TARGETS ratls-server RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT ratls-server)
install(TARGETS libratls EXPORT ratls-targets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT libratls0
        NAMELINK_COMPONENT libratls-dev)
install(FILES include/ratls.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT libratls-dev)

set(completion ${CMAKE_BINARY_DIR}/completion)
install(FILES ${completion}/bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
        RENAME ratls COMPONENT ratls)
install(FILES ${completion}/zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions
        RENAME _ratls COMPONENT ratls)
install(FILES ${completion}/fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
        RENAME ratls.fish COMPONENT ratls)
install(FILES ${completion}/man.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 RENAME ratls.1.gz
        COMPONENT ratls)
install(FILES ${completion}/server-man.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1
        RENAME ratls-server.1.gz COMPONENT ratls-server)

# Relative, so that the tree may be moved and --prefix given when it is installed.
file(RELATIVE_PATH RATLS_PREFIX_FROM_PC /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" RATLS_PREFIX_FROM_PC "${RATLS_PREFIX_FROM_PC}")
configure_file(cmake/ratls.pc.in ratls.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/ratls.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
        COMPONENT libratls-dev)

set(ratls_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ratls)
configure_package_config_file(cmake/ratls-config.cmake.in ${CMAKE_BINARY_DIR}/ratls-config.cmake
                              INSTALL_DESTINATION ${ratls_cmake_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/ratls-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/ratls-config.cmake ${CMAKE_BINARY_DIR}/ratls-config-version.cmake
        DESTINATION ${ratls_cmake_dir} COMPONENT libratls-dev)
install(EXPORT ratls-targets NAMESPACE ratls:: DESTINATION ${ratls_cmake_dir}
        COMPONENT libratls-dev)

# In the place of Gramine's libraries: only with --component ratls-gramine-compat, because they have the
# names of Gramine's own.
set(compat COMPONENT ratls-gramine-compat EXCLUDE_FROM_ALL)
install(TARGETS ra_tls_attest ra_tls_verify_dcap ra_tls_verify_dcap_gramine
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ${compat})
install(FILES include/gramine/ra_tls.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/gramine ${compat})
install(FILES deploy/gramine-compat/compat.toml DESTINATION ${CMAKE_INSTALL_DATADIR}/ratls ${compat})
