<?php
// mysqli and PDO against a server: php_clients.php PORT
// The server has root without a password. Says "ok" at the end, or what went wrong.
declare(strict_types=1);
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$port = (int) $argv[1];

function check(string $what, mixed $got, mixed $expected): void
{
    if ($got !== $expected) {
        fwrite(STDERR, "$what: " . var_export($got, true) . ' instead of ' . var_export($expected, true) . "\n");
        exit(1);
    }
}

$db = new mysqli('127.0.0.1', 'root', '', '', $port);
$db->query('CREATE DATABASE IF NOT EXISTS clients');
$db->select_db('clients');
$db->query('DROP TABLE IF EXISTS php');
$db->query('CREATE TABLE php (id INT PRIMARY KEY, s VARCHAR(20), d DECIMAL(10,2), f DOUBLE, t DATETIME)');
$insert = $db->prepare('INSERT INTO php VALUES (?, ?, ?, ?, ?)');
[$id, $s, $d, $f, $t] = [1, '❄', '12.34', 1.5, '2024-02-29 12:30:15'];
$insert->bind_param('issds', $id, $s, $d, $f, $t);
$insert->execute();
check('mysqli rows', $insert->affected_rows, 1);
$select = $db->prepare('SELECT * FROM php WHERE id = ?');
$select->bind_param('i', $id);
$select->execute();
check('mysqli prepared', $select->get_result()->fetch_row(), [1, '❄', '12.34', 1.5, $t]);
check('mysqli text', $db->query('SELECT * FROM php')->fetch_row(), ['1', '❄', '12.34', '1.5', $t]);
$db->query('DROP USER IF EXISTS phped');
$db->query("CREATE USER phped IDENTIFIED BY 'pw'");

$other = mysqli_init();
$other->options(MYSQLI_OPT_SSL_VERIFY_SERVER_CERT, false);
$other->real_connect('127.0.0.1', 'phped', 'pw', '', $port, null, MYSQLI_CLIENT_SSL);
check('mysqli user', $other->query('SELECT CURRENT_USER()')->fetch_row(), ['phped@%']);
check('mysqli change', $other->change_user('root', '', 'clients'), true);
foreach ([[1045, 'phped', 'no', ''], [1049, 'root', '', 'nope']] as [$code, $user, $password, $schema]) {
    try {
        new mysqli('127.0.0.1', $user, $password, $schema, $port);
        check("mysqli $code", 'it got in', '');
    } catch (mysqli_sql_exception $error) {
        check('mysqli refusal', $error->getCode(), $code);
    }
}

foreach ([true, false] as $emulated) {
    $pdo = new PDO("mysql:host=127.0.0.1;port=$port;dbname=clients", 'root', '', [
        PDO::ATTR_EMULATE_PREPARES => $emulated,
    ]);
    $statement = $pdo->prepare('SELECT id, s, d FROM php WHERE id = :id');
    $statement->execute(['id' => 1]);
    check('PDO', $statement->fetch(PDO::FETCH_NUM), [1, '❄', '12.34']);
}
echo "ok\n";
