# cmake -D MFG_SOLVE= -D PYTHON= -D SOURCE= -D WORK= -P read_results.cmake: solve an example small and read its file.
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
execute_process(COMMAND ${MFG_SOLVE} ${SOURCE}/two_rooms.toml --set domain.cells=[20,20] --set time.steps=10
                WORKING_DIRECTORY ${WORK} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${MFG_SOLVE} ${SOURCE}/two_rooms.toml --set domain.cells=[20,20] --set time.steps=10
                        --set sweep.model.viscosity=[0.1,0.05] --output family.h5
                WORKING_DIRECTORY ${WORK} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PYTHON} ${SOURCE}/read_results.py WORKING_DIRECTORY ${WORK} COMMAND_ERROR_IS_FATAL ANY)
# The mask that it writes is one that the command takes.
execute_process(COMMAND ${MFG_SOLVE} ${SOURCE}/two_rooms.toml --check --set domain.cells=[64,48]
                        --set domain.mask=hall.h5:/plan/walls --output hall_out.h5
                WORKING_DIRECTORY ${WORK} COMMAND_ERROR_IS_FATAL ANY)
