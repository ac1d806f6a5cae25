#!/bin/sh
# Greenhouse sensors that publish their readings to an MQTT broker every few seconds: sensors.sh HOST [PORT [SECONDS]]
# Needs mosquitto_pub and awk. Where the broker is away, mosquitto_pub says so, and the next round tries again.
set -eu
host=${1:?the name of the broker} port=${2:-1883} seconds=${3:-5}

# A reading as JSON: of the sensor $1, in the round $2.
reading() {
  awk -v sensor="$1" -v round="$2" 'BEGIN {
    srand(sensor * 100003 + round)
    temperature = 20 + sensor + 4 * sin(round / 40) + rand()
    humidity = 60 - 8 * sin(round / 40) + 3 * rand()
    battery = 100 - (round + 97 * sensor) % 960 / 10
    level = battery < 8 ? "warn" : "info"
    said = battery < 8 ? "battery low" : "reading"
    printf "{\"service\": \"sensors\", \"level\": \"%s\", \"message\": \"%s: %.1f C, %.0f %%\"", \
      level, said, temperature, humidity
    printf ", \"temperature\": %.2f, \"humidity\": %.1f, \"battery.percent\": %.1f}", temperature, humidity, battery
  }'
}

round=0
while :; do
  for sensor in 1 2 3 4 5 6; do
    mosquitto_pub -h "$host" -p "$port" -q 1 -t "sensors/greenhouse-$sensor/climate" -m "$(reading "$sensor" "$round")" || :
  done
  round=$((round + 1))
  sleep "$seconds"
done
