# SPDX-License-Identifier: Apache-2.0
# Runs before CPack packs what it has installed: all files get SOURCE_DATE_EPOCH's time, so that the
# same source gives the same packages. Without the variable they keep theirs.
if(DEFINED ENV{SOURCE_DATE_EPOCH})
  execute_process(COMMAND find ${CPACK_TEMPORARY_DIRECTORY} -exec touch -h -d
                          @$ENV{SOURCE_DATE_EPOCH} {} + COMMAND_ERROR_IS_FATAL ANY)
endif()
